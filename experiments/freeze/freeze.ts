/**
 * Reads a network that runs under flanneld, and makes of it the inventory whose plan holds it without: kernels and
 * etcd are witnesses, and where they agree, what they say is written down. Nothing is changed on a host.
 */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { stringify } from 'yaml'
import type { Control, Inventory, Lab } from '../../inventory/inventory.ts'
import { InventoryErrors, parseInventory, type LabOverrides } from '../../inventory/load.ts'
import { probe } from '../../modules/apply.ts'
import { planControl, type ControlPlan } from '../../overlay/control-plane.ts'
import { configKey, etcdPrefix } from '../../overlay/net-conf.ts'
import { factsOf, planLab, type LabPlan } from '../../overlay/plan.ts'
import { HostError } from '../../remote/errors.ts'
import { etcdctl, getAll, parseKeys } from '../../remote/etcdctl.ts'
import type { SessionOf } from '../reach.ts'
import { frozenText, signature, type Pins } from './document.ts'
import { leasesOf } from './leases.ts'
import { readHost, type HostReading } from './reading.ts'
import { ofConfig, ofContradiction, ofStrangers, type Refusal } from './refusal.ts'
import { takeoverOf, type Takeover } from './takeover.ts'
import { testimonies } from './testimony.ts'
import { judge, type HostTruth } from './verdict.ts'
import { overlabCommand } from '../../tools/command-line.ts'

export interface FreezeRequest {
  /** What runs: the inventory with the stack's changes in it. */
  readonly inventory: Inventory
  /** The same as the user wrote it, and what the stack changes in it. */
  readonly text: string
  readonly overrides: LabOverrides
  /** The file that is to hold the frozen inventory; what it copies to machines is relative to it. */
  readonly output: string
  readonly sessionOf: SessionOf
  readonly signal?: AbortSignal
  readonly onProgress?: (state: string) => void
}

/** What etcd holds, or why that is not known. */
export type EtcdReading = { readonly endpoint: string } & (
  { readonly keys: Readonly<Record<string, string>> } | { readonly why: string }
)

export interface Frozen {
  readonly etcd: EtcdReading
  readonly readings: readonly HostReading[]
  readonly truth: Readonly<Record<string, HostTruth>>
  readonly pins: Readonly<Record<string, Pins>>
  /** The frozen inventory, as a file and as what it stands for. */
  readonly text: string
  readonly plan: LabPlan
  /** Whether `control: flanneld` in the stack's configuration makes of it what ran. */
  readonly thawsByConfig: boolean
  /** What the next `up` with it would do to every host. */
  readonly takeover: Readonly<Record<string, Takeover>>
}

/** A lab that has no flanneld is not frozen but static: undefined. */
export async function freeze(
  request: FreezeRequest,
): Promise<Frozen | { readonly refusals: readonly Refusal[] } | undefined> {
  const { inventory, sessionOf, onProgress = () => {} } = request
  const plan = planLab(inventory)
  const control = planControl(inventory, plan, 'flanneld')
  if (!control) return undefined
  const options = request.signal ? { signal: request.signal } : {}

  onProgress('reading the kernels and etcd')
  const [answers, etcd] = await Promise.all([
    Promise.all(
      Object.values(plan.hosts).map(({ name }) =>
        sessionOf(name)
          .then((session) => readHost(name, session, options))
          .catch(hostError),
      ),
    ),
    readEtcd(control, sessionOf, options),
  ])
  request.signal?.throwIfAborted()
  const unread = answers.filter((answer) => answer instanceof HostError)
  if (unread.length > 0) return { refusals: unread.map(ofHost) }
  const readings = answers as HostReading[]

  const leases = 'keys' in etcd ? leasesOf(etcd.keys) : undefined
  const said = testimonies(plan, readings, leases)
  const { hosts: truth, contradictions } = judge(plan, said)
  const differences = 'keys' in etcd ? configDifferences(inventory.lab, etcd.keys) : []
  const refusals = [
    ...(differences.length > 0 ? [ofConfig(differences)] : []),
    ...contradictions.map(ofContradiction),
    ...ofStrangers(said.strangers),
  ]
  if (refusals.length > 0) return { refusals }

  const pins = pinsOf(plan, truth)
  const text = frozenText(request.text, {
    heading: headingOf(inventory),
    overrides: request.overrides,
    pins,
  })
  const frozen = parsed(text, request, 'static')
  if ('refusals' in frozen) return frozen
  const thawed = parsed(text, request, 'flanneld')
  const thawsByConfig =
    'hosts' in thawed && thawed.hosts.every(({ name, control }) => plan.hosts[name]!.control === control)
  const frozenPlan = planLab(frozen)
  checkPlan(frozenPlan, truth)

  onProgress('comparing every row')
  const takeover = await Promise.all(
    Object.values(frozenPlan.hosts).map(async (host) => {
      const facts = { ...factsOf(host), claim: true }
      const session = await sessionOf(host.name)
      const held = await probe(session, { desired: host.state, prior: {}, facts }, options)
      return [host.name, takeoverOf(held, host.state)] as const
    }),
  )
  return {
    etcd,
    readings,
    truth,
    pins,
    text,
    plan: frozenPlan,
    thawsByConfig,
    takeover: Object.fromEntries(takeover),
  }
}

async function readEtcd(
  { endpoint, etcd }: ControlPlan,
  sessionOf: SessionOf,
  options: { readonly signal?: AbortSignal },
): Promise<EtcdReading> {
  try {
    const session = await sessionOf(etcd.host)
    return {
      endpoint,
      keys: parseKeys(await etcdctl(session, endpoint, 'read etcd', [getAll(etcdPrefix)], options)),
    }
  } catch (error) {
    return { endpoint, why: whyOf(hostError(error)) }
  }
}

/** etcdctl ends its words with what matters: `context deadline exceeded`, `connection refused`. */
function whyOf({ why, stderr }: HostError): string {
  const last = stderr?.trim().split('\n').at(-1)
  return last?.replace(/^Error: /, '') || why
}

function hostError(error: unknown): HostError {
  if (error instanceof HostError) return error
  throw error
}

function ofHost({ host, message }: HostError): Refusal {
  return {
    what: `${host} could not be read, so nobody knows whether its rows are those that the others count on`,
    entries: message.split('\n'),
    todo: 'freeze once it answers',
  }
}

/** Where etcd's configuration, every default filled in, differs from the inventory's: `Backend.Port: 4789 in etcd, 8472 ...`. */
export function configDifferences(lab: Lab, keys: Readonly<Record<string, string>>): string[] {
  const text = keys[configKey]
  if (text === undefined) return [`${configKey} is missing`]
  let overlay: object
  try {
    overlay = netConfFrom(lab, JSON.parse(text))
  } catch (error) {
    return [`${configKey}: ${(error as Error).message}`]
  }
  const [etcds, ours] = [flat(overlay), flat(lab.overlay)]
  return [...new Set([...Object.keys(etcds), ...Object.keys(ours)])].flatMap((key) =>
    etcds[key] === ours[key]
      ? []
      : [`${key}: ${etcds[key] ?? 'nothing'} in etcd, ${ours[key] ?? 'nothing'} in the inventory`],
  )
}

/** A net-conf.json by the inventory's own rules: the smallest inventory that has it. @throws InventoryErrors */
function netConfFrom({ name, underlay, mtu }: Lab, overlay: unknown): object {
  const text = stringify({ lab: { name, underlay, mtu, overlay }, all: { hosts: { node1: null } } })
  return parseInventory(text, configKey).lab.overlay
}

function flat(value: object, above = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
      typeof inner === 'object' && inner !== null
        ? Object.entries(flat(inner, `${above}${key}.`))
        : [[`${above}${key}`, String(inner)]],
    ),
  )
}

/** Only what the inventory would plan otherwise. */
export function pinsOf(plan: LabPlan, truth: Readonly<Record<string, HostTruth>>): Record<string, Pins> {
  return Object.fromEntries(
    Object.values(plan.hosts).flatMap(({ name, subnet, vtep }) => {
      const host = truth[name]!
      const pins = {
        ...(host.subnet !== subnet && { subnet: host.subnet }),
        ...(vtep && host.vtepMac !== vtep.mac && { vtep_mac: host.vtepMac }),
      }
      return Object.keys(pins).length > 0 ? [[name, pins]] : []
    }),
  )
}

/** Says nothing of the moment, so that freezing the same network again gives the same file. */
function headingOf({ file, lab }: Inventory): string[] {
  return [
    `${signature}: the lab ${lab.name} as it was under flanneld, held without it. It is ${basename(file)}`,
    'with control: static; subnet and vtep_mac are added where the network had others than planned.',
  ]
}

function parsed(
  text: string,
  { output, overrides }: FreezeRequest,
  control: Control,
): Inventory | { readonly refusals: readonly Refusal[] } {
  try {
    return parseInventory(text, output, { ...overrides, control }, existsSync)
  } catch (error) {
    if (!(error instanceof InventoryErrors)) throw error
    const entries = error.mistakes.map((mistake) => mistake.text)
    return {
      refusals: [
        {
          what: 'what the network has makes no inventory',
          entries,
          todo: `mend it in the network; ${overlabCommand('up')} sets it to what is planned`,
        },
      ],
    }
  }
}

/** The file must say what was found; anything else is a fault of ours. */
function checkPlan(plan: LabPlan, truth: Readonly<Record<string, HostTruth>>): void {
  for (const { name, control, subnet, vtep } of Object.values(plan.hosts)) {
    const { subnet: found, vtepMac } = truth[name]!
    if (control !== 'static' || subnet !== found || vtep?.mac !== vtepMac)
      throw new Error(`freeze: the frozen inventory does not say of ${name} what the network has`)
  }
}
