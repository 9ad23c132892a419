/** What a host answers is parsed where it enters: what does not fit is a fault of that host alone. */
import { describe, expect, test } from 'vitest'
import { entriesOf, entryOf, readEntries, textsOf } from '../../modules/json.ts'
import { readPeers } from '../../modules/bpf/maps.ts'
import { readHosts, type HostTask } from '../../modules/rollout.ts'
import { readSections } from '../../modules/probe-script.ts'
import type { Pool } from '../../remote/pool.ts'
import { dangerous } from '../support/dangerous.ts'

describe('an answer', () => {
  test('holds no character that a terminal or a batch would act on', () => {
    const [entry] = readEntries(
      JSON.stringify([{ dst: '10.0.0.0/8\nlink delete eth0', 'a\x9b': ['\x1b[2J\u202e'] }]),
      'ip',
    )
    expect(JSON.stringify(entry)).not.toMatch(dangerous)
    expect(entry!['dst']).toBe('10.0.0.0/8\\nlink delete eth0')
  })

  test('of another form is an error that says which field', () => {
    expect(() => readEntries('[1]', 'ip -j')).toThrow('`ip -j` printed something else than expected: 0: ')
    expect(() => readEntries('\x1b[2J', 'ip -j')).toThrow('`ip -j` printed no JSON but: \\u001b[2J')
    expect(() => textsOf({ flags: 'UP' }, 'flags')).toThrow('field flags is not what the tool prints: UP')
    expect(() => entriesOf({ nexthops: [1] }, 'nexthops')).toThrow('field nexthops')
    expect(() => entryOf({ linkinfo: [] }, 'linkinfo')).toThrow('field linkinfo')
    expect(textsOf({ flags: null }, 'flags')).toEqual([])
    expect(() => readPeers('[{"key": ["zz"], "value": []}]')).toThrow('0.key.0')
  })
})

const facts = { nic: 'eth0', iptables: 'auto' as const }
const desired = { routes: { '10.244.2.0/24': 'via 10.244.2.0 dev flannel.1 onlink' } }
const plan = { desired, prior: {}, facts }

test('a host that answers nonsense is a failure; the others are read', async () => {
  const answers: Readonly<Record<string, string>> = {
    node1: '[{"dst": "10.244.2.0/24", "protocol": "boot", "flags": "UP", "metrics": [1]}]',
    node2: '[]',
  }
  const pool = {
    session: async (target: { name: string }) => ({
      target,
      run: async () => ({ stdout: answerOf(answers[target.name]!), stderr: '', exitCode: 0 }),
    }),
  } as unknown as Pool
  const tasks = Object.fromEntries(
    ['node1', 'node2'].map((name) => [name, { target: { name }, plan } as unknown as HostTask]),
  )
  const { held, failures } = await readHosts(pool, tasks)
  expect(Object.keys(held)).toEqual(['node2'])
  expect(failures.map(({ host }) => host)).toEqual(['node1'])
  expect(failures[0]!.message).toMatch(/^node1: probe: /)
})

/** As the script of a host prints it: only the routes say something. */
function answerOf(routes: string): string {
  return readSections(plan, '')
    .map(
      ({ probe }, index) =>
        `${/route show table main/.test(probe) ? routes : ''}\n@overlab probe ${index} exit 0\n`,
    )
    .join('')
}
