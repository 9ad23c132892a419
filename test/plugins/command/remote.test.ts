import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isSecret, plain, unknown } from '../../../plugins/server/values.ts'
import type { Values } from '../../../plugins/server/values.ts'
import { failure, startPlugin } from '../server/plugin.ts'
import type { StartedPlugin } from '../server/plugin.ts'
import { freePort, startSshd } from './sshd.ts'
import type { Sshd } from './sshd.ts'

const type = 'command:remote:Command'
const folder = mkdtempSync(join(tmpdir(), 'overlab-remote-'))
let plugin: StartedPlugin
let sshd: Sshd
/** Takes FOO and Pulumi's variables, as the first one does not. */
let accepting: Sshd
let connection: Values

beforeAll(async () => {
  ;[plugin, sshd, accepting] = await Promise.all([
    startPlugin(join(import.meta.dirname, '../../../plugins/command/index.ts'), { SSH_AUTH_SOCK: '' }),
    startSshd('AllowTcpForwarding yes'),
    startSshd('AcceptEnv FOO BAR PULUMI_*'),
  ])
  connection = at(sshd)
})
beforeEach(() => void plugin.logs.splice(0))
afterAll(async () => {
  await Promise.all([plugin.stop(), sshd.stop(), accepting.stop()])
  rmSync(folder, { recursive: true, force: true })
})

function at({ port, privateKey, hostKey }: Sshd): Record<string, string | number> {
  return { host: '127.0.0.1', port, user: 'root', privateKey, hostKey, dialErrorLimit: 1 }
}
async function run(inputs: Values): Promise<Values> {
  const { stdout, stderr } = (await plugin.create(type, { connection, ...inputs })).outputs
  return { stdout: stdout ?? null, stderr: stderr ?? null }
}
const failing = (inputs: Values) => failure(plugin.create(type, { connection, create: 'true', ...inputs }))

describe('create', () => {
  test('returns both outputs apart, without the last newline, and the inputs', async () => {
    const { id, outputs } = await plugin.create(type, { connection, create: 'printf "a\\n\\n"; echo b >&2' })
    expect(id).toMatch(/^name[0-9a-f]{8}$/)
    expect(outputs).toEqual({
      connection,
      create: 'printf "a\\n\\n"; echo b >&2',
      stdout: 'a\n',
      stderr: 'b',
    })
    expect(plugin.logs.map((entry) => entry.message).sort()).toEqual(['', 'a', 'b'])
  })

  test('passes stdin whole, and an empty one without', async () => {
    expect((await run({ create: 'wc -c', stdin: 'x'.repeat(3_000_000) })).stdout).toBe('3000000')
    expect((await run({ create: 'cat; echo end' })).stdout).toBe('end')
    expect((await run({ create: 'exit 0', stdin: 'x'.repeat(3_000_000) })).stdout).toBe('')
  })

  test('carries 8 MB on both outputs', async () => {
    const create = 'head -c 8000000 /dev/zero | tr "\\0" x; head -c 8000000 /dev/zero | tr "\\0" y >&2'
    const { stdout, stderr } = await run({ create, logging: 'none' })
    expect(stdout === 'x'.repeat(8_000_000) && stderr === 'y'.repeat(8_000_000)).toBe(true)
    expect(plugin.logs).toEqual([])
  })

  test('a character split over two packets stays whole, in the output and in the log', async () => {
    const create = "printf '\\342\\202'; sleep 0.2; printf '\\254\\n'"
    expect((await run({ create })).stdout).toBe('€')
    expect(plugin.logs.map((entry) => entry.message)).toEqual(['€'])
  })

  test('many at once', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, (_, n) => run({ create: `echo ${n}` })))
    expect(all.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 12 }, (_, n) => String(n)))
  })
})

describe('failure', () => {
  test.each([
    ['exit 3', 'Process exited with status 3: running "exit 3":\n'],
    ['echo "out"; exit 1', 'Process exited with status 1: running "echo \\"out\\"; exit 1":\nout\n'],
    ['kill -TERM $$', 'Process exited with status 143 from signal TERM: running "kill -TERM $$":\n'],
  ])('%s', async (create, message) => {
    expect(await failing({ create })).toBe(message)
  })

  test('a connection that ends in the middle', async () => {
    // The parent of the command's shell is the sshd process that serves this connection.
    expect(await failing({ create: 'echo half; sleep 0.2; kill -9 $PPID; sleep 5' })).toBe(
      'wait: remote command exited without exit status or exit signal: running ' +
        '"echo half; sleep 0.2; kill -9 $PPID; sleep 5":\nhalf\n',
    )
    expect((await run({ create: 'echo alive' })).stdout).toBe('alive')
  })

  test('a connection that is reset in the middle', async () => {
    const sockets: Socket[] = []
    const proxy = createServer((near) => {
      const far = new (near.constructor as new () => Socket)().connect(sshd.port, '127.0.0.1')
      for (const socket of [near, far]) socket.on('error', () => {})
      sockets.push(near)
      near.pipe(far).pipe(near)
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const port = (proxy.address() as AddressInfo).port
    const message = failing({ connection: { ...at(sshd), port }, create: 'echo half; sleep 1000' })
    while (!plugin.logs.some((entry) => entry.message === 'half')) await sleep(10)
    for (const socket of sockets) socket.resetAndDestroy()
    expect(await message).toBe(
      'wait: remote command exited without exit status or exit signal: running "echo half; sleep 1000":\nhalf\n',
    )
    proxy.close()
    expect((await run({ create: 'echo alive' })).stdout).toBe('alive')
  })
})

describe('dial', () => {
  test('nothing listens', async () => {
    const port = await freePort()
    expect(await failing({ connection: { ...at(sshd), port, dialErrorLimit: 2 } })).toBe(
      `after 2 failed attempts: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    )
    expect(plugin.logs.map((entry) => entry.message)).toEqual([
      'Dial 1/2 failed: retrying',
      'Dial 2/2 failed: retrying',
    ])
  })

  test('a host that comes up later', async () => {
    const port = await freePort()
    const create = run({ connection: { ...at(sshd), port, dialErrorLimit: -1 }, create: 'echo late' })
    while (plugin.logs.length < 2) await sleep(10)
    const proxy = createServer((near) => {
      const far = new (near.constructor as new () => Socket)().connect(sshd.port, '127.0.0.1')
      for (const socket of [near, far]) socket.on('error', () => {})
      near.pipe(far).pipe(near)
    }).listen(port, '127.0.0.1')
    expect((await create).stdout).toBe('late')
    proxy.close()
  })

  test('a server that never speaks', async () => {
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    expect(await failing({ connection: { ...at(sshd), port, dialErrorLimit: 0, perDialTimeout: 1 } })).toBe(
      'after 0 failed attempts: ssh: handshake failed: i/o timeout',
    )
    silent.close()
  })

  test('no such name', async () => {
    expect(
      await failing({ connection: { ...at(sshd), host: 'nowhere.invalid', dialErrorLimit: 0 } }),
    ).toMatch(/^after 0 failed attempts: dial tcp: lookup nowhere\.invalid: /)
  })

  test('a wrong host key', async () => {
    expect(await failing({ connection: { ...at(sshd), hostKey: accepting.hostKey } })).toBe(
      'after 1 failed attempts: ssh: handshake failed: ssh: host key mismatch',
    )
  })

  test('no host key: any is accepted, with a warning that shows it', async () => {
    const { hostKey: _, ...open } = at(sshd)
    expect((await run({ connection: open, create: 'echo open' })).stdout).toBe('open')
    const warnings = plugin.logs.filter(({ severity }) => severity === 'warning')
    expect(warnings.map(({ message }) => message)).toEqual([
      `the host key of 127.0.0.1:${sshd.port} was not verified, since the connection has no hostKey. Compare this with what the ` +
        'host itself says (`cat /etc/ssh/ssh_host_*_key.pub` on its console), then write it into the connection:\n' +
        `  hostKey: ${sshd.hostKey}`,
    ])
  })

  test('a server that has only what overlab offers no host (SHA-1) is refused, with a host key and without', async () => {
    const old = await startSshd('Ciphers aes128-ctr', 'MACs hmac-sha1')
    try {
      const { hostKey: _, ...open } = at(old)
      for (const connection of [at(old), open]) expect(await failing({ connection })).toMatch(/no matching/i)
    } finally {
      await old.stop()
    }
  })

  test('a host key that is none', async () => {
    expect(await failing({ connection: { ...at(sshd), hostKey: 'nonsense' } })).toMatch(
      /^failed to parse host key: /,
    )
  })

  test('a private key that the server does not know', async () => {
    expect(
      await failing({ connection: { ...at(sshd), privateKey: accepting.privateKey, dialErrorLimit: 0 } }),
    ).toBe(
      'after 0 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods ' +
        '[none publickey], no supported methods remain',
    )
  })

  test('an encrypted private key', async () => {
    const encrypted = { ...at(sshd), privateKey: sshd.encryptedKey }
    expect(
      (await run({ connection: { ...encrypted, privateKeyPassword: 'secret words' }, create: 'echo in' }))
        .stdout,
    ).toBe('in')
    expect(await failing({ connection: encrypted })).toBe('ssh: this private key is passphrase protected')
    expect(await failing({ connection: { ...encrypted, privateKeyPassword: 'wrong' } })).toBe(
      'x509: decryption password incorrect',
    )
    expect(await failing({ connection: { ...encrypted, privateKey: 'nonsense' } })).toMatch(
      /^ssh: no key found/,
    )
  })

  test('a key in an agent', async () => {
    const { execFileSync, spawn } = await import('node:child_process')
    const socket = join(folder, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    try {
      while (!existsSync(socket)) await sleep(10)
      execFileSync('ssh-add', ['-q', sshd.privateKeyFile], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
      const { privateKey: _, ...bare } = at(sshd)
      expect(
        (await run({ connection: { ...bare, agentSocketPath: socket }, create: 'echo agent' })).stdout,
      ).toBe('agent')
      expect(await failing({ connection: { ...bare, dialErrorLimit: 0 } })).toMatch(/unable to authenticate/)
    } finally {
      agent.kill()
    }
  })
})

describe('password', () => {
  /** A server of ssh2's that knows one way of logging in, since sshd's ways belong to the machine's accounts. */
  async function passwordServer(method: 'password' | 'keyboard-interactive') {
    const asked: string[] = []
    const server = new ssh2.Server({ hostKeys: [readFileSync(join(sshd.folder, 'host'))] }, (client) => {
      client.on('error', () => {})
      client.on('authentication', (attempt) => {
        asked.push(attempt.method)
        if (attempt.method === 'password' && method === 'password' && attempt.password === 'right')
          attempt.accept()
        else if (attempt.method === 'keyboard-interactive' && method === 'keyboard-interactive') {
          attempt.prompt([{ prompt: 'Password: ', echo: false }], ([answer]) =>
            answer === 'right' ? attempt.accept() : attempt.reject(),
          )
        } else attempt.reject([method])
      })
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec, _reject, { command }) => {
          const channel = acceptExec()
          channel.write(command)
          channel.exit(0)
          channel.end()
        })
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { port: (server.address() as AddressInfo).port, close: () => server.close(), asked }
  }

  test.each(['password', 'keyboard-interactive'] as const)(
    '%s: nothing of it is sent to a host without a host key',
    async (method) => {
      const { port, close, asked } = await passwordServer(method)
      try {
        const { privateKey = '', hostKey = '', ...shared } = at(sshd)
        const open = { ...shared, port, password: 'right', dialErrorLimit: 5 }
        for (const connection of [open, { ...open, privateKey }]) {
          const message = await failing({ connection })
          expect(message).toContain(`the password for root@127.0.0.1:${port} was not sent`)
          expect(message).toContain(`hostKey: ${hostKey}`)
        }
        expect(asked).not.toContain(method)
        expect(asked).toContain('publickey')
      } finally {
        close()
      }
    },
  )

  test.each(['password', 'keyboard-interactive'] as const)('%s', async (method) => {
    const { port, close } = await passwordServer(method)
    try {
      const { privateKey = '', ...shared } = at(sshd)
      const bare = { ...shared, port, dialErrorLimit: 0 }
      expect((await run({ connection: { ...bare, password: 'right' }, create: 'echo' })).stdout).toBe('echo')
      expect(await failing({ connection: { ...bare, password: 'wrong' } })).toMatch(
        /^after 0 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods \[none password/,
      )
      // A key that the server does not know is tried first.
      expect(
        (
          await run({
            connection: { ...bare, privateKey, password: 'right' },
            create: 'echo',
          })
        ).stdout,
      ).toBe('echo')
    } finally {
      close()
    }
  })
})

describe('proxy', () => {
  test('goes through another host', async () => {
    const through = { ...at(accepting), proxy: at(sshd) }
    const { stdout } = await run({ connection: through, create: 'echo $SSH_CONNECTION' })
    expect(stdout).toMatch(new RegExp(`^127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${accepting.port}$`))
  })

  test.each([
    [
      'the proxy is down',
      (port: number) => ({ ...at(accepting), proxy: { ...at(sshd), port } }),
      (port: number) =>
        `proxy: after 1 failed attempts: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    ],
    [
      'the host behind it is down',
      (port: number) => ({ ...at(accepting), port, proxy: at(sshd) }),
      () => 'proxy: after 1 failed attempts: ssh: rejected: connect failed (Connection refused)',
    ],
    [
      'the host behind it is another',
      () => ({ ...at(accepting), hostKey: sshd.hostKey, proxy: at(sshd) }),
      () => 'proxy: after 1 failed attempts: ssh: handshake failed: ssh: host key mismatch',
    ],
  ])('%s', async (_, through, message) => {
    const port = await freePort()
    expect(await failing({ connection: through(port) })).toBe(message(port))
  })
})

describe('environment', () => {
  const show = 'echo "$FOO/$PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR"'

  test('where the server accepts it', async () => {
    const given = { connection: at(accepting), create: show, environment: { FOO: "it's $HOME", BAR: '' } }
    expect((await run(given)).stdout).toBe("it's $HOME//")
  })

  test('where it does not, the command does not run', async () => {
    const marker = join(folder, 'not-run')
    expect(await failing({ create: `touch ${marker}`, environment: { FOO: '1' } })).toBe(
      'could not set environment variable "FOO": ssh: setenv failed',
    )
    expect(existsSync(marker)).toBe(false)
    expect(plugin.logs).toHaveLength(1)
    expect(plugin.logs[0]).toMatchObject({ severity: 'error', ephemeral: false })
    expect(plugin.logs[0]?.message).toMatch(
      /^Unable to set 'FOO'\. This only works if your SSH server is configured to accept these variables via AcceptEnv\. /,
    )
  })

  test('the output of the run before goes along; where it is not accepted that is only a warning', async () => {
    const olds = { stdout: 'a', stderr: 'b' }
    const news = { connection: at(accepting), create: 'false', update: show }
    expect((await plugin.update(type, 'id', olds, news)).stdout).toBe('/a/b')
    expect((await plugin.update(type, 'id', olds, { ...news, addPreviousOutputInEnv: false })).stdout).toBe(
      '//',
    )
    plugin.logs.splice(0)
    expect((await plugin.update(type, 'id', olds, { ...news, connection })).stdout).toBe('//')
    const warnings = plugin.logs.filter(({ severity }) => severity === 'warning')
    expect(warnings.map(({ message }) => message.slice(0, 37))).toEqual([
      "Unable to set 'PULUMI_COMMAND_STDOUT'",
      "Unable to set 'PULUMI_COMMAND_STDERR'",
    ])
  })
})

describe('update and delete', () => {
  test('`create` runs again where there is no `update`', async () => {
    const news = { connection, create: 'echo again' }
    expect(await plugin.update(type, 'id', { stdout: 'a', stderr: '' }, news)).toEqual({
      ...news,
      stdout: 'again',
      stderr: '',
    })
  })

  test('delete', async () => {
    const file = join(folder, 'deleted')
    const state = {
      connection: at(accepting),
      stdout: 'a',
      stderr: '',
      delete: `echo "$PULUMI_COMMAND_STDOUT" > ${file}`,
    }
    await plugin.delete(type, 'id', state)
    expect(readFileSync(file, 'utf8')).toBe('a\n')
    expect(await failure(plugin.delete(type, 'id', { ...state, delete: 'exit 4' }))).toBe(
      'Process exited with status 4: running "exit 4":\n',
    )
  })
})

describe('preview and refresh contact no host', () => {
  const nowhere = { host: '192.0.2.1', port: 1 }
  test('create, update, read', async () => {
    const inputs = { connection: nowhere, create: 'a' }
    expect((await plugin.create(type, inputs, { preview: true })).outputs).toEqual({
      ...inputs,
      stdout: unknown,
      stderr: unknown,
    })
    expect((await plugin.update(type, 'id', {}, inputs, { preview: true })).stderr).toBe(unknown)
    expect((await plugin.read(type, 'id', { ...inputs, stdout: 'a' }, inputs)).outputs).toEqual({
      ...inputs,
      stdout: 'a',
    })
  })
})

describe('check', () => {
  test('the connection becomes a secret and gets its defaults, its proxy too', async () => {
    const { inputs, failures } = await plugin.check(type, {
      connection: { host: 'a', proxy: { host: unknown } },
    })
    expect(failures).toEqual({})
    expect(isSecret(inputs.connection)).toBe(true)
    const defaults = { port: 22, user: 'root', dialErrorLimit: 10, perDialTimeout: 15 }
    expect(plain(inputs)).toEqual({
      connection: { host: 'a', ...defaults, proxy: { host: unknown, ...defaults } },
      addPreviousOutputInEnv: true,
    })
    expect(isSecret((await plugin.check(type, { connection: unknown })).inputs.connection)).toBe(true)
  })

  test('names each wrong input', async () => {
    expect((await plugin.check(type, {})).failures).toEqual({
      connection: "Missing required property 'connection'",
    })
    expect((await plugin.check(type, { connection: { port: '22', proxy: 1 } })).failures).toEqual({
      'connection.host': "Missing required property 'host'",
      'connection.port': 'must be a number; got "22"',
      'connection.proxy': 'must be a map; got 1',
    })
  })
})

test('diff: a trigger replaces, the new one first; a connection is updated', async () => {
  const olds = { connection, create: 'a', triggers: [1] }
  const news = { connection: { ...connection, port: 1 }, create: 'a', triggers: [2] }
  expect(await plugin.diff(type, olds, news)).toEqual({
    changes: 'some',
    detailed: { 'connection.port': 'update', 'triggers[0]': 'update-replace' },
    replaces: ['triggers'],
    deleteBeforeReplace: false,
  })
})

test('cancel ends the call and the connection, and with it a command that prints', async () => {
  const pidFile = join(folder, 'pid')
  const message = failing({ create: `echo $$ > ${pidFile}; while echo tick; do sleep 0.05; done` })
  while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await sleep(10)
  await plugin.cancel()
  expect(await message).toBe('cancelled by the user')
  while (existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}`)) await sleep(10)
  expect((await run({ create: 'echo next' })).stdout).toBe('next')
})
