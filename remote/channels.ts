import pLimit from 'p-limit'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, ClientChannel, ExecOptions } from 'ssh2'
import { become } from './shell.ts'

/** sshd allows 10 sessions a connection unless told otherwise (MaxSessions); two stay free for those still closing. */
const mostChannels = 8

/** Opens channels of one connection, at most a few at a time; more wait for their turn. */
export interface Channels {
  /**
   * Opens a channel that runs `command` and gives it to `use`; the turn ends when `use` does.
   * A channel refused by the server is asked for again, since nothing has run yet.
   */
  with<T>(command: string, options: ExecOptions, use: (channel: ClientChannel) => Promise<T>): Promise<T>
}

export function channelsOf(client: Client): Channels {
  const limit = pLimit(mostChannels)
  let open = 0
  return {
    with: <T>(command: string, options: ExecOptions, use: (channel: ClientChannel) => Promise<T>) =>
      limit(async () => {
        for (let refusals = 1; ; refusals++) {
          let opened: { work: Promise<T> }
          try {
            opened = await exec(client, command, options, use)
          } catch (error) {
            // A server with a lower MaxSessions: come down step by step. A busy one counts a session until it has buried it.
            if (!(error instanceof Error && 'reason' in error) || (open === 0 && refusals >= 6)) throw error
            limit.concurrency = Math.max(1, limit.concurrency - 1)
            await sleep(Math.min(20 * 2 ** refusals, 500))
            continue
          }
          open++
          return await opened.work.finally(() => open--)
        }
      }),
  }
}

/**
 * Calls `use` inside ssh2's own callback: the exit code and the end of a short command may stand in the very
 * packet that opened it, and their events find no listener one turn later.
 */
function exec<T>(
  client: Client,
  command: string,
  options: ExecOptions,
  use: (channel: ClientChannel) => Promise<T>,
): Promise<{ work: Promise<T> }> {
  return new Promise((resolve, reject) => {
    // Throws at once where the connection has ended.
    client.exec(command, options, (error, channel) => {
      if (error) return reject(error)
      // For good: writing to a shell that left without reading is an 'error' event, which would end the process.
      channel.on('error', () => {})
      channel.stderr.on('error', () => {})
      const work = use(channel)
      work.catch(() => {})
      resolve({ work })
    })
  })
}

/** How long a kill may take before it is believed to be done, in ms. */
const killMs = 2_000

/**
 * Ends the channel and what runs in it, its children too: sshd gives every command a process group, that of `pid`.
 * A signal by SSH itself reaches only commands of users other than root, and only while the input is open;
 * hence a second command, past the limit: that is what the free channels are for. Never throws.
 */
export async function kill(
  client: Client,
  channel: ClientChannel,
  { pid, asRoot = false }: { readonly pid?: number | undefined; readonly asRoot?: boolean } = {},
): Promise<void> {
  channel.signal('KILL')
  grantNoMore(channel)
  channel.close()
  if (pid === undefined || pid <= 1) return
  // Its group (the fifth word) is its own id, or that of the sudo that started it.
  const line = `exec sh -c 'read -r p c s q g r </proc/${pid}/stat && kill -9 -$g || kill -9 ${pid}'`
  const killed = exec(client, asRoot ? become(line) : line, {}, (killer) => {
    killer.resume()
    killer.stderr.resume()
    return new Promise<void>((resolve) => killer.on('close', () => resolve()))
  }).then(({ work }) => work)
  const patience = new AbortController()
  await Promise.race([
    killed.catch(() => {}),
    sleep(killMs, undefined, { signal: patience.signal }).catch(() => {}),
  ])
  patience.abort()
}

/** What ssh2 keeps of a channel's way in beside its public interface. */
const incoming = (channel: ClientChannel) =>
  // eslint-disable-next-line overlab/no-cast-of-unknown -- of a library, whose version is pinned
  (channel as unknown as { incoming: { state: string; window: number } }).incoming

/** The server has said that no more output comes. */
export function isAtEnd(channel: ClientChannel): boolean {
  return incoming(channel).state !== 'open'
}

/**
 * ssh2 1.17 goes on widening the window of a channel that it has closed, by a number that the server may have given
 * to the next channel: that one is then sent more than its own window, and ssh2 drops what exceeds it.
 */
function grantNoMore(channel: ClientChannel): void {
  incoming(channel).window = Infinity
}

/** Calls `done` when the channel is closed and both outputs have been read to their end: ssh2's 'close' waits for one of them. */
export function onClosed(channel: ClientChannel, done: () => void): void {
  let open = 2
  const one = () => {
    if (--open === 0) done()
  }
  channel.on('close', one)
  channel.stderr.on('close', one)
}
