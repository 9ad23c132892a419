/** Changes as batches, and batches as one script. Pure. */
import { heredoc } from '../remote/heredoc.ts'
import { modules } from './all.ts'
import { scopeOf, type HostPlan } from './host-plan.ts'
import type { Batch, BatchLine, Change, Phase } from './module.ts'
import { phases as allPhases } from './module.ts'
import type { TableName } from './state.ts'

/** What is fed to one process: the batches of one command that follow each other. */
export interface Step {
  readonly command: string
  readonly lines: readonly BatchLine[]
  /** Whose lines these are, and of which phases. */
  readonly tables: readonly TableName[]
  readonly phases: readonly Phase[]
}

/** The steps of some phases: forward in the order of the modules, `sweep` backward. */
export function stepsOf(changes: readonly Change[], plan: HostPlan, phases: readonly Phase[]): Step[] {
  const rendered = modules.flatMap((module) => {
    const own = changes.filter((change) => change.table === module.table)
    return own.length === 0
      ? []
      : [{ table: module.table, batches: module.render(own, scopeOf(module, plan)) }]
  })
  const steps: Step[] = []
  for (const phase of allPhases.filter((one) => phases.includes(one))) {
    for (const { table, batches } of phase === 'sweep' ? rendered.toReversed() : rendered)
      for (const batch of batches)
        if (batch.phase === phase && batch.lines.length > 0) append(steps, table, batch)
  }
  return steps
}

/** One process a command where possible: each is a start-up, and each `ip` takes the kernel's one networking lock anew. */
function append(steps: Step[], table: TableName, { command, phase, lines }: Batch): void {
  const last = steps.at(-1)
  if (last?.command === command && mergeable.test(command))
    steps[steps.length - 1] = {
      command,
      lines: [...last.lines, ...lines],
      tables: [...new Set([...last.tables, table])],
      phases: [...new Set([...last.phases, phase])],
    }
  else steps.push({ command, lines, tables: [table], phases: [phase] })
}

const mergeable = /^(ip|bridge|tc) -batch -$/

/**
 * The script that applies some phases; what `overlab plan --commands` prints. It stops at the first step that fails
 * and says which; the marks on standard error tell whose error is whose.
 */
export function applyScript(changes: readonly Change[], plan: HostPlan, phases: readonly Phase[]): string {
  return scriptOf(stepsOf(changes, plan, phases))
}

export function scriptOf(steps: readonly Step[]): string {
  const lines = ['export LC_ALL=C', `begin() { printf '@overlab step %s\\n' "$1" >&2; }`]
  lines.push(`failed() { printf '@overlab step %s exit %s\\n' "$1" "$2"; exit 1; }`)
  steps.forEach((step, index) => {
    const body = bodyOf(step)
    lines.push(`# ${step.phases.join(', ')}: ${step.tables.join(', ')}`, `begin ${index}`)
    lines.push(...heredoc(`${step.command} >&2`, body, `|| failed ${index} $?`))
  })
  lines.push(`printf '@overlab done\\n'`)
  return lines.join('\n') + '\n'
}

function bodyOf({ command, lines }: Step): string[] {
  for (const { text } of lines)
    if (/[\n\r\0]/.test(text)) throw new Error(`a batch line holds a line break: ${JSON.stringify(text)}`)
  const texts = lines.map((line) => line.text)
  if (command !== 'sh -e') return texts
  // A shell does not say at which line a command failed; these words are those of `ip -batch`.
  const report = `trap 'code=$?; [ $code -eq 0 ] || echo "Command failed -:$line" >&2' EXIT`
  return [report, ...texts.flatMap((text, index) => [`line=${index + 1}`, text])]
}
