/** `pulumi up` of a stack in the middle of another verb: without a word, unless it fails. */
import { diagnosticsOf } from '../experiments/variants/pulumi.ts'
import { HostError } from '../remote/errors.ts'
import { run } from '../tools/commands.ts'
import { pulumiBinary, pulumiEnvironment } from '../tools/environment.ts'
import { repository } from '../tools/paths.ts'

/** In ms; a lab of some fifty machines takes one. */
const patience = 600_000

/** Ctrl-C does not reach it: it has a process group of its own. @throws HostError with Pulumi's diagnostics */
export async function quietUp(stack: string): Promise<void> {
  const words = ['up', '--yes', '--skip-preview', '--suppress-outputs', '--stack', stack]
  const { code, stdout, stderr } = await run(
    pulumiBinary(),
    ['--non-interactive', '--color', 'never', ...words],
    { cwd: repository, env: pulumiEnvironment(), timeout: patience },
  )
  if (code === 0) return
  throw new HostError({
    host: `stack ${stack}`,
    step: 'pulumi up',
    why: 'failed',
    stderr: diagnosticsOf(stdout + stderr),
  })
}
