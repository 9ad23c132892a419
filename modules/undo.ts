/** The way back from a change that cut its host off: lines that the host runs by itself, later. Pure. */
import { heredoc } from '../remote/heredoc.ts'
import { stepsOf } from './apply-script.ts'
import { diffState } from './diff-state.ts'
import type { HostPlan } from './host-plan.ts'
import { undoRules } from './iptables-undo.ts'
import { phases } from './module.ts'
import type { HostState } from './state.ts'

/**
 * Shell lines that bring a host from wherever on the way to `plan.desired` it is back to `held`, which it holds now.
 * A change may be cut anywhere, so each object is set or removed for itself, and what fails (it was never there) is
 * passed over. Only what the change touches is named; all else on the host stays as it is by then.
 */
export function undoLines(held: HostState, plan: HostPlan): string[] {
  const back: HostPlan = { ...plan, desired: held, prior: plan.desired }
  const changes = diffState(plan.desired, held)
  const steps = stepsOf(
    // The disk is written only when a change is confirmed.
    changes.filter(({ table }) => table !== 'iptables' && table !== 'boot'),
    back,
    phases,
  )
  return [
    ...steps.flatMap(({ command, lines }) => {
      const texts = lines.map(({ text }) => text)
      const batch = /^(ip|bridge|tc) -batch -$/.exec(command)
      // A process a line: with -force too, ip ends at some errors (that of a neighbour that is not there).
      if (batch)
        return heredoc(`while IFS= read -r line; do echo "$line" | ${batch[1]} -batch -; done`, texts)
      if (command.startsWith('bpftool batch')) return texts.map((text) => `bpftool ${text} >/dev/null`)
      return heredoc('sh', texts)
    }),
    ...undoRules(plan.desired.iptables ?? {}, held.iptables ?? {}, plan.facts.iptables),
  ]
}
