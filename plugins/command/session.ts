import type { Client, ClientChannel } from 'ssh2'

// ssh2 sends a channel's environment without asking whether the server takes it, and the command with it. Here a
// refused variable must stop the command, so the channel is opened and asked step by step, with ssh2's own means
// (lib/client.js: openChannel, reqEnv, reqExec; lib/Channel.js: the sizes). ssh2's version is pinned.
const windowSize = 2 * 1024 * 1024
const packetSize = 64 * 1024

interface Internals extends Client {
  readonly _chanMgr: { add(opened: OpenedCallback): number }
  readonly _protocol: {
    session(channel: number, window: number, packet: number): void
    env(channel: number, name: string, value: string, wantReply: boolean): void
    exec(channel: number, command: string, wantReply: boolean): void
  }
}
type OpenedCallback = ((error: Error | undefined, channel: Channel & ClientChannel) => void) & {
  type?: string
}
interface Channel {
  readonly outgoing: { readonly id: number; readonly state: string }
  readonly _callbacks: ((failed: boolean | Error) => void)[]
  subtype?: string
  allowHalfOpen: boolean
}

export interface Session {
  /** False: the server does not take this variable (AcceptEnv). */
  setenv(name: string, value: string): Promise<boolean>
  /** Starts the command. Listen to the channel before: a fast command's exit may come with the answer. */
  exec(command: string): Promise<void>
  readonly channel: ClientChannel
}

/** Opens a session channel without starting anything in it. */
export async function openSession(client: Client): Promise<Session> {
  const internals = client as Internals
  const channel = await new Promise<Channel & ClientChannel>((resolve, reject) => {
    const lost = () => reject(new Error('EOF'))
    client.once('close', lost)
    const opened: OpenedCallback = (error, channel) => {
      client.off('close', lost)
      if (error === undefined) resolve(channel)
      else reject(new Error(`ssh: rejected: ${error.message}`, { cause: error }))
    }
    opened.type = 'session'
    internals._protocol.session(internals._chanMgr.add(opened), windowSize, packetSize)
  })
  const ask = (request: () => void) =>
    new Promise<boolean>((resolve) => {
      if (channel.outgoing.state !== 'open') return resolve(false)
      channel._callbacks.push((failed) => resolve(!failed))
      request()
    })
  return {
    setenv: (name, value) => ask(() => internals._protocol.env(channel.outgoing.id, name, value, true)),
    async exec(command) {
      channel.subtype = 'exec'
      channel.allowHalfOpen = true
      if (!(await ask(() => internals._protocol.exec(channel.outgoing.id, command, true)))) {
        throw new Error('ssh: command ' + JSON.stringify(command) + ' failed')
      }
    },
    channel,
  }
}
