/** A process of its own: two hosts, one of which loses its connection while idle. See faults.test.ts. */
import { once } from 'node:events'
import { createPool } from '../../remote/pool.ts'
import type { Target } from '../../remote/target.ts'

const [first, second] = JSON.parse(process.argv[2] ?? '[]') as [Target, Target]
const pool = createPool()
const one = await pool.session(first)
const two = await pool.session(second)
console.log('ready')
await once(process.stdin, 'data')
await one
  .run('true', { step: 'after' })
  .catch((error: { message: string }) => console.log(error.message.split('\n')[0]))
console.log(`node2: ${(await two.run('echo fine')).stdout.trim()}`)
console.log(`node1: ${(await (await pool.session(first)).run('echo again')).stdout.trim()}`)
await pool.close()
