import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect as http2, constants } from 'node:http2'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import proto from '@pulumi/pulumi/proto/provider_pb.js'
import { afterAll, expect, test } from 'vitest'
import { toStruct } from '../../../plugins/server/values.ts'
import { startPlugin } from './plugin.ts'

const plugins = join(import.meta.dirname, '../../../plugins')
const folder = mkdtempSync(join(tmpdir(), 'overlab-listen-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Debian's `nobody`, and root itself. */
const nobody = 65534
const own = process.geteuid?.() ?? 0

/** What another user gets from the plugin at this port. */
async function call(
  port: number,
  uid: number,
  how: 'ask' | 'hit',
  bytes: Buffer = Buffer.alloc(0),
): Promise<string> {
  const words = [join(import.meta.dirname, 'stranger.ts'), String(port), String(uid), how]
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(bytes)
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return said.trim()
}

test.each(['overlab', 'command'])(
  'the %s plugin answers its own user and no other',
  async (name) => {
    const plugin = await startPlugin(join(plugins, name, 'index.ts'), {}, 'pipe')
    try {
      const said = plugin.process.stderr ? text(plugin.process.stderr) : ''
      expect(await call(plugin.port, nobody, 'ask')).toBe('refused')
      expect(await call(plugin.port, own, 'ask')).toBe('served')
      expect(await call(plugin.port, nobody, 'ask')).toBe('refused')
      // It goes on serving the engine.
      expect(await plugin.version()).toMatch(/^\d+\.\d+\.\d+$/)
      await plugin.stop()
      expect(await said).toBe(
        `the ${name} plugin refused a connection: it is of the user with id ${nobody}, and this plugin runs as ${own}. ` +
          'It answers only its own user. If you do not know who that is, see docs/security.md\n',
      )
    } finally {
      await plugin.stop()
    }
  },
  60_000,
)

test('a call that is sent and closed at once, before its owner can be looked up, is not run', async () => {
  const plugin = await startPlugin(join(plugins, 'command', 'index.ts'), {}, 'pipe')
  try {
    const [theirs, ours] = [join(folder, 'theirs'), join(folder, 'ours')]
    await call(plugin.port, nobody, 'hit', await bytesOf(`touch ${theirs}`))
    // The same bytes do run a command where they come from the plugin's own user, and the connection stays.
    const socket = connect(plugin.port, '127.0.0.1')
    socket.write(await bytesOf(`touch ${ours}`))
    while (!existsSync(ours)) await sleep(10)
    socket.destroy()
    expect(existsSync(theirs)).toBe(false)
  } finally {
    await plugin.stop()
  }
}, 60_000)

/** All that a gRPC client sends for `command:local:run`, which does not wait for an answer. */
async function bytesOf(command: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  const recorder = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  }).listen(0, '127.0.0.1')
  await once(recorder, 'listening')
  const request = new proto.InvokeRequest()
  request.setTok('command:local:run')
  request.setArgs(toStruct({ command }))
  const message = Buffer.from(request.serializeBinary())
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  const session = http2(`http://127.0.0.1:${(recorder.address() as AddressInfo).port}`)
  session.on('error', () => {})
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/pulumirpc.ResourceProvider/Invoke',
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
  })
  stream.on('error', () => {})
  stream.end(Buffer.concat([head, message]))
  while (!Buffer.concat(chunks).includes(command)) await sleep(5)
  // The stream's end comes after its data.
  await sleep(20)
  session.destroy()
  recorder.close()
  return Buffer.concat(chunks)
}
