/** Runs the scripts of a fault on its hosts, and puts back what they took. */
import { quote } from '../../remote/quote.ts'
import { scriptOutput } from '../script-output.ts'
import type { Strike } from './fault.ts'
import { rolesOf, type LabUnderTest } from './lab.ts'

/** What a host held that `pulumi up` would not put back, and the script that does. */
export interface Kept {
  readonly host: string
  readonly text: string
  readonly script: string
}

/**
 * Runs a fault's scripts; what they are to put back goes into `kept` before. They are short, and never broken off in
 * the middle: that would leave a NIC down. @throws HostError
 */
export async function runStrike(
  { on, script, keep, putBack, told }: Strike,
  lab: LabUnderTest,
  kept: Kept[],
): Promise<string | undefined> {
  const struck = on(rolesOf(lab.plan))
  const shell = async (host: string, step: string, text: string): Promise<string> =>
    scriptOutput(await lab.session(host), text, { step, timeoutMs: 20_000 })
  if (keep && putBack)
    for (const host of struck)
      kept.push({ host: host.name, text: await shell(host.name, 'keep', keep(host)), script: putBack })
  const outputs = await Promise.all(struck.map((host) => shell(host.name, 'strike', script(host, lab))))
  return told?.(outputs)
}

/** Works after an interrupt. */
export async function putBackAll(lab: LabUnderTest, kept: readonly Kept[]): Promise<void> {
  for (const { host, text, script } of kept) {
    const session = await lab.session(host)
    await session.run(`printf %s ${quote(text)} | { ${script}; }`, { step: 'put back', timeoutMs: 20_000 })
  }
}
