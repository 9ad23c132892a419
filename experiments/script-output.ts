import { HostError } from '../remote/errors.ts'
import type { RunOptions } from '../remote/script.ts'
import type { Session } from '../remote/session.ts'

/** What a script that must succeed prints on standard output. @throws HostError where it ends with another exit code, too */
export async function scriptOutput(
  session: Pick<Session, 'target' | 'run'>,
  script: string,
  options: RunOptions & { readonly step: string },
): Promise<string> {
  const { stdout, stderr, exitCode } = await session.run(script, options)
  if (exitCode === 0) return stdout
  const { step } = options
  throw new HostError({ host: session.target.name, step, why: 'the script failed', exitCode, stderr })
}
