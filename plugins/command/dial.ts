import { connect as tcp } from 'node:net'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import ssh2 from 'ssh2'
import type { AnyAuthMethod, Client } from 'ssh2'
import { algorithms } from '../../remote/algorithms.ts'
import { keyText, parseHostKey, sameKey } from '../../remote/host-key.ts'
import type { HostKey } from '../../remote/host-key.ts'
import type { Log } from '../server/index.ts'
import type { Connection, Hop } from './connection.ts'
import { dialError, handshakeError, UnverifiedHost, unverifiedWarning } from './dial-errors.ts'

/** An authenticated connection. Its errors have a listener for good; `close` ends it and its proxy's. */
export interface Dialled {
  readonly client: Client
  readonly close: () => void
}

interface DialContext {
  readonly signal: AbortSignal
  readonly log: Log
}

// The waits of the real plugin: 100 ms, half as long again each time, at most 5 s.
const firstWait = 100
const waitFactor = 1.5
const longestWait = 5000

/** Seconds of silence after which the server is asked for a sign of life; the eighth question without answer ends it. */
const keepaliveSeconds = 15
const keepaliveQuestions = 8

/**
 * Connects to a host, through its proxy if it has one, with as many attempts as the connection allows.
 *
 * @throws Error with the real plugin's text, `after 2 failed attempts: dial tcp ...`
 */
export async function dial(connection: Connection, context: DialContext): Promise<Dialled> {
  const login = parseLogin(connection)
  const { proxy } = connection
  if (proxy === undefined) {
    const client = await withRetries('Dial', connection, context, async () =>
      handshake(await openSocket(connection, context), login, connection, context),
    )
    return { client, close: () => client.end() }
  }
  try {
    const proxyLogin = parseLogin(proxy)
    const jump = await withRetries('Dial proxy', proxy, context, async () =>
      handshake(await openSocket(proxy, context), proxyLogin, proxy, context),
    )
    const abort = () => jump.destroy()
    context.signal.addEventListener('abort', abort)
    try {
      const client = await withRetries('Dial from proxy', connection, context, async () =>
        handshake(await forward(jump, connection), login, connection, context),
      )
      client.once('close', () => jump.end())
      return { client, close: () => client.end() }
    } catch (error) {
      jump.end()
      throw error
    } finally {
      context.signal.removeEventListener('abort', abort)
    }
  } catch (error) {
    throw new Error(`proxy: ${(error as Error).message}`, { cause: error })
  }
}

async function withRetries<T>(
  what: string,
  hop: Hop,
  { signal, log }: DialContext,
  attempt: () => Promise<T>,
): Promise<T> {
  const limit = hop.dialErrorLimit
  for (let failed = 0; ; failed++) {
    signal.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof UnverifiedHost) throw error
      if (limit > -1 && failed >= limit) {
        throw new Error(`after ${failed} failed attempts: ${(error as Error).message}`, { cause: error })
      }
      log.status(`${what} ${failed + 1}/${limit === -1 ? 'inf' : limit} failed: retrying`)
    }
    await sleep(Math.min(firstWait * waitFactor ** failed, longestWait), undefined, { signal })
  }
}

interface Login {
  readonly hostKey: HostKey | undefined
  readonly methods: readonly AnyAuthMethod[]
  /** There is a password, and no host key that says who would get it. */
  readonly withheld: boolean
}

/** What can be wrong before any host is asked: the keys. */
function parseLogin(hop: Hop): Login {
  const methods: AnyAuthMethod[] = []
  const username = hop.user
  if (hop.privateKey !== undefined) {
    const key = ssh2.utils.parseKey(hop.privateKey, hop.privateKeyPassword)
    if (key instanceof Error) throw new Error(privateKeyError(key, hop))
    methods.push({
      type: 'publickey',
      username,
      key: hop.privateKey,
      passphrase: hop.privateKeyPassword,
    } as AnyAuthMethod)
  }
  const { password } = hop
  const withheld = password !== undefined && hop.hostKey === undefined
  if (password !== undefined && !withheld) {
    methods.push({ type: 'password', username, password })
    methods.push({
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password)),
    })
  }
  const agent = hop.agentSocketPath ?? process.env.SSH_AUTH_SOCK
  if (agent) methods.push({ type: 'agent', username, agent })
  if (methods.length === 0) methods.push({ type: 'none', username })
  return { hostKey: hop.hostKey === undefined ? undefined : pinned(hop.hostKey), methods, withheld }
}

function privateKeyError(error: Error, hop: Hop): string {
  if (!/passphrase|decrypt|integrity/i.test(error.message)) return `ssh: no key found (${error.message})`
  if (hop.privateKeyPassword === undefined) return 'ssh: this private key is passphrase protected'
  return 'x509: decryption password incorrect'
}

function pinned(text: string): HostKey {
  try {
    return parseHostKey(text)
  } catch (error) {
    throw new Error(`failed to parse host key: the connection's hostKey ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function openSocket(hop: Hop, { signal }: DialContext): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = tcp({ host: hop.host, port: hop.port, noDelay: true, signal })
    const timer =
      hop.perDialTimeout > 0
        ? setTimeout(() => {
            socket.destroy()
            reject(dialError(hop, { code: 'ETIMEDOUT' }))
          }, hop.perDialTimeout * 1000)
        : undefined
    // Stays for good: a reset of an idle connection is an 'error' event too, and would end the process.
    socket.on('error', (error) => {
      clearTimeout(timer)
      reject(dialError(hop, error))
    })
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve(socket)
    })
  })
}

function forward(jump: Client, hop: Hop): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new Error('EOF'))
    jump.once('close', lost)
    jump.forwardOut('127.0.0.1', 0, hop.host, hop.port, (error, channel) => {
      jump.off('close', lost)
      if (error === undefined) return resolve(channel)
      const reason = error.message.replace(/^\(SSH\) Channel open failure: /, '')
      reject(new Error(`ssh: rejected: connect failed (${reason})`))
    })
  })
}

/** SSH's part of a dial: key exchange, the host's key, authentication. Closes the socket if it fails. */
function handshake(sock: Duplex, login: Login, hop: Hop, { signal, log }: DialContext): Promise<Client> {
  const { hostKey, withheld } = login
  const methods = [...login.methods]
  const attempted = ['none']
  let denied = false
  let shown = ''
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client()
    const fail = (error?: Error & { level?: string; code?: string }) => {
      signal.removeEventListener('abort', abort)
      sock.destroy()
      const refused = withheld && error?.level === 'client-authentication'
      reject(refused ? new UnverifiedHost(hop, shown) : handshakeError(hop, error, { denied, attempted }))
    }
    const abort = () => sock.destroy()
    signal.addEventListener('abort', abort)
    // Both listeners stay: an error of an idle connection must have one.
    client.on('error', fail)
    client.on('close', () => fail())
    // A half-open connection is of no use: the first FIN ends it.
    client.on('end', () => sock.destroy())
    client.once('ready', () => {
      // From here on whoever uses the connection decides how it ends.
      signal.removeEventListener('abort', abort)
      if (hostKey === undefined) log.warning(unverifiedWarning(hop, shown))
      resolve(client)
    })
    client.connect({
      sock: sock,
      username: hop.user,
      readyTimeout: hop.perDialTimeout * 1000,
      keepaliveInterval: keepaliveSeconds * 1000,
      keepaliveCountMax: keepaliveQuestions,
      authHandler: (_left, _partial, next) => {
        const method = methods.shift()
        if (method !== undefined) attempted.push(method.type === 'agent' ? 'publickey' : method.type)
        next(method ?? (false as never))
      },
      algorithms: algorithms(hostKey),
      hostVerifier: (blob: Buffer) => {
        shown = keyText(blob)
        denied = hostKey !== undefined && !sameKey(blob, hostKey.blob)
        return !denied
      },
    })
  })
}
