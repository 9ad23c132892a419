/** A few pings, and how many were answered. */
import type { Notes } from './notes.ts'

export interface Loss {
  readonly sent: number
  readonly received: number
}

/** Five a second and a second's patience; the summary is what is shown. @throws HostError */
export async function ping(notes: Notes, from: string, to: string, count = 5): Promise<Loss> {
  const { output } = await notes.run(from, `ping -n -c ${count} -i 0.2 -W 1 ${to}`, {
    keep: /packets transmitted|^rtt|^round-trip|^ping:/,
  })
  return lossOf(output)
}

/** Pure. What ping said at its end; nothing sent where it said nothing. */
export function lossOf(output: string): Loss {
  const said = /^(\d+) packets transmitted, (\d+) (?:packets )?received/m.exec(output)
  return { sent: Number(said?.[1] ?? 0), received: Number(said?.[2] ?? 0) }
}

export function isWhole({ sent, received }: Loss): boolean {
  return sent > 0 && received === sent
}

/** Nothing at all came back; of a ping that was not sent this is not known. */
export function isLost({ sent, received }: Loss): boolean {
  return sent > 0 && received === 0
}

export function words({ sent, received }: Loss): string {
  return `${received} of ${sent} answered`
}
