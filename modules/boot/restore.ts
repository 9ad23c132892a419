/** The data of `overlab.service`: what brings a host without any data plane to the planned one. Pure. */
import { quote } from '../../remote/quote.ts'
import { stepsOf, type Step } from '../apply-script.ts'
import { rememberAtBoot } from '../care.ts'
import { diffState } from '../diff-state.ts'
import type { HostPlan } from '../host-plan.ts'
import { impairedNics } from '../impairment.ts'
import { jumpRemovals } from '../iptables-undo.ts'
import { phases, type BatchLine } from '../module.ts'
import { qdiscHandle } from '../owner.ts'
import { vethPattern } from '../pod.ts'
import { bootFiles } from './files.ts'

/** The plan with the files that restore what it wants; itself where nothing is to be restored. */
export function withBootFiles(plan: HostPlan, owner?: string): HostPlan {
  const { desired, facts } = plan
  if (!desired.boot) return plan
  const links = [...Object.keys(desired.links ?? {}), ...(desired.pods ? [vethPattern] : [])]
  return { ...plan, bootFiles: bootFiles(dataPlaneLines(plan, owner), facts.nic, links) }
}

/**
 * Parts of a line `@COMMAND` and the lines that it reads. They may meet a host that still has some of it (a link went
 * down and came up again): each object is for itself, and what is there already is passed over.
 *
 * @param owner of a host that overlab did not make: whose the overlay is, and what its settings were, is kept in
 *   memory, which a boot empties
 */
export function dataPlaneLines({ desired, facts }: HostPlan, owner?: string): string[] {
  const { boot: _, ...state } = desired
  const plan: HostPlan = { desired: state, prior: {}, facts }
  return [
    '# Written by overlab. At boot each part is fed to the command in the line above it.',
    ...(owner === undefined ? [] : part('sh', rememberAtBoot(owner, Object.keys(state.sysctls ?? {})))),
    ...stepsOf(diffState({}, state), plan, phases).flatMap((step) => [
      ...part('sh', firstGone(step, plan)),
      ...stepLines(step),
    ]),
  ]
}

/** What a tool would put there a second time, since it adds without a look. */
function firstGone({ tables, command }: Step, { desired, facts }: HostPlan): string[] {
  if (tables.includes('iptables')) return jumpRemovals(desired.iptables ?? {}, facts.iptables)
  // The shell makes the root, before tc's batch makes classes and filters below it.
  if (!tables.includes('impairments') || command !== 'sh -e') return []
  return impairedNics(desired.impairments ?? {}).map(
    (nic) => `tc qdisc del dev ${nic} root handle ${qdiscHandle} 2>/dev/null`,
  )
}

function stepLines({ command, lines }: Step): string[] {
  const tolerant = command.replace(/^sh -e$/, 'sh')
  if (tolerant !== 'ip -batch -') return part(tolerant, texts(lines))
  // A pod that is there keeps its processes, and the link to it; the bridge may be another one.
  const byPod = Map.groupBy(lines, ({ change }) => (change?.table === 'pods' ? change.key : undefined))
  return [...byPod].flatMap(([pod, own]) =>
    pod === undefined
      ? part(tolerant, texts(own))
      : part('sh', [
          `if [ -e /run/netns/${pod} ]; then set -- ${texts(own).slice(-1).map(quote).join(' ')}; else set -- ${texts(own).map(quote).join(' ')}; fi`,
          `printf '%s\\n' "$@" | ip -batch -`,
        ]),
  )
}

function texts(lines: readonly BatchLine[]): string[] {
  return lines.map(({ text }) => text)
}

function part(command: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`@${command}`, ...lines]
}
