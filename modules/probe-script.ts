/** All of a host's probes as one script, and its answer as the host's state. Pure. */
import { visible, visibleLines } from '../inventory/harmless.ts'
import { modules } from './all.ts'
import { scopeOf, type HostPlan } from './host-plan.ts'
import type { HostState, Table } from './state.ts'

/**
 * Each probe runs in a subshell; after it comes a line with its number and exit code on standard output, and one
 * with its number on standard error. JSON and iptables-save print no line that begins like these.
 */
export function probeScript(plan: HostPlan): string {
  const lines = [
    'export LC_ALL=C',
    `probed() { printf '\\n@overlab probe %s exit %s\\n' "$1" "$2"; printf '\\n@overlab probe %s\\n' "$1" >&2; }`,
  ]
  probesOf(plan).forEach((probe, index) => lines.push('(', probe, `); probed ${index} $?`))
  return lines.join('\n') + '\n'
}

/** What a probe answered, or how it failed. */
export interface Section {
  readonly probe: string
  readonly output: string
  readonly stderr: string
  /** Undefined where the script ended before the probe did. */
  readonly exitCode: number | undefined
}

/** The answers in the order of the script; those after the first one that is missing are missing too. */
export function readSections(plan: HostPlan, stdout: string, stderr = ''): Section[] {
  const outputs = split(stdout, /\n@overlab probe (\d+) exit (\d+)\n/)
  const errors = split(stderr, /\n@overlab probe (\d+)()\n/)
  return probesOf(plan).map((probe, index) => ({
    probe,
    output: outputs[index]?.text ?? '',
    stderr: errors[index]?.text ?? '',
    exitCode: outputs[index]?.exitCode,
  }))
}

/** Throws where a probe failed or its answer is missing or makes no sense: that is never an empty state. */
export function parseProbe(stdout: string, plan: HostPlan): HostState {
  const sections = new Map(readSections(plan, stdout).map((section) => [section.probe, section]))
  const tables = modules.flatMap((module): [string, Table][] => {
    const scope = scopeOf(module, plan)
    const section = sections.get(module.probe(scope))
    if (section?.exitCode !== 0) throw new Error(`${module.table}: ${failureOf(section)}`)
    const table = harmlessTable(module.parse(section.output, scope))
    return Object.keys(table).length > 0 ? [[module.table, table]] : []
  })
  return Object.fromEntries(tables)
}

/** Rows are kept, compared and shown; what is not JSON (iptables-save, sysctls, files) may hold any byte. */
function harmlessTable(table: Table): Table {
  return Object.fromEntries(Object.entries(table).map(([key, line]) => [visible(key), visibleLines(line)]))
}

export function failureOf(section: Section | undefined): string {
  return section?.exitCode === undefined
    ? 'the answer is missing'
    : `the probe ended with exit code ${section.exitCode}`
}

/** Equal probes run once. */
function probesOf(plan: HostPlan): string[] {
  return [...new Set(modules.map((module) => module.probe(scopeOf(module, plan))))]
}

/** The texts before each mark; ends where a number is out of order. */
function split(output: string, mark: RegExp): { text: string; exitCode: number }[] {
  const parts = `\n${output}`.split(mark)
  const sections: { text: string; exitCode: number }[] = []
  for (let at = 0; at + 2 < parts.length; at += 3) {
    if (Number(parts[at + 1]) !== sections.length) break
    sections.push({ text: parts[at]!.replace(/^\n/, ''), exitCode: Number(parts[at + 2]) })
  }
  return sections
}
