/** Whether SSH answers, with the pinned key. A key exchange and no more: nobody logs in. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'ssh2'

export type Greeting = 'pinned' | 'other key' | 'refused' | 'silent'

/** One try: `refused` at once where nothing listens, `silent` where nothing comes back within `timeout` ms. */
export function greet(host: string, hostKey: string, timeout: number): Promise<Greeting> {
  return new Promise((resolve) => {
    const client = new Client()
    const finish = (greeting: Greeting) => {
      clearTimeout(timer)
      resolve(greeting)
      client.destroy()
    }
    const timer = setTimeout(() => finish('silent'), timeout)
    // For good: ssh2 raises what comes after the end as well.
    client.on('error', (error: Error & { code?: string }) =>
      finish(error.code === 'ECONNREFUSED' ? 'refused' : 'silent'),
    )
    client.connect({
      host,
      username: 'root',
      readyTimeout: 0,
      algorithms: { serverHostKey: ['ssh-ed25519'] },
      hostVerifier: (key: Buffer) => {
        finish(key.toString('base64') === hostKey.split(' ')[1] ? 'pinned' : 'other key')
        return false
      },
    })
  })
}

/** Tries until SSH answers, `stop` says so, or `patience` ms are over; the last try's greeting. */
export async function awaitGreeting(
  host: string,
  hostKey: string,
  patience: number,
  stop: () => Promise<boolean>,
): Promise<Greeting> {
  const deadline = performance.now() + patience
  for (let pause = 5; ; pause = Math.min(pause * 1.5, 200)) {
    const left = deadline - performance.now()
    const greeting = await greet(host, hostKey, Math.max(1, Math.min(left, 5000)))
    if (greeting === 'pinned' || greeting === 'other key') return greeting
    if (left <= pause || (await stop())) return greeting
    await sleep(pause)
  }
}
