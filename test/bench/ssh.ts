/**
 * An apply to hosts that exist (`machine: ssh`): an unprivileged login, sudo, and a change that must be confirmed. Beside
 * it, the same rows as one script that a plain OpenSSH client feeds to `sudo sh`: it reads nothing first, cannot tell
 * what is there already, and has no way back.
 */
import { hashed } from '../../inventory/numbers.ts'
import { freeUnderlay } from '../../machines/lab/free.ts'
import { forgetHost } from '../../machines/ssh/records.ts'
import { hostFolder } from '../../modules/owner.ts'
import { makeServers, type Servers } from '../e2e/hosts/servers.ts'
import type { Bench } from './bench-options.ts'
import { median } from './breakdown.ts'
import { ownLab } from './leftovers.ts'
import { makeLab, type Form, type Lab } from './project.ts'
import { floor, pushed, tasksOf, wipe, type Tasks } from './push.ts'
import { ratios, ratioText, verdict, wantedText, type Target } from './ratio.ts'
import { seconds, table, type Section } from './table.ts'

const kinds = ['namespace', 'namespace', 'namespace'] as const
const servers = kinds.length
const ways = ['openssh', 'overlab', 'unconfirmed'] as const
type Way = (typeof ways)[number]

export interface SshApply {
  /** How many hosts at once. */
  readonly hosts: number
  /** Milliseconds, one a round. */
  readonly ms: Readonly<Record<Way, readonly number[]>>
  /** Of overlab's way, a host. */
  readonly connects: number
  readonly roundTrips: number
}

export interface Ssh {
  readonly applies: readonly SshApply[]
  /** Milliseconds of the whole `pulumi up` that puts the overlay on all of them. */
  readonly up: readonly number[]
}

/** Servers, a lab and a stack of its own; all taken away at the end, also after an interrupt. */
export async function measureSsh({ rounds, signal, say }: Bench): Promise<Ssh> {
  const place = ownLab('servers')
  const underlay = await freeUnderlay([], hashed(place, 1e6))
  say('making servers')
  const made = await makeServers(place, underlay.replace(/\.0\/24$/, ''), kinds)
  let lab: Lab | undefined
  try {
    signal.throwIfAborted()
    lab = await makeLab('ssh', signal)
    lab.describe(formOf(made))
    say('the first pulumi up')
    await lab.pulumi('up', '--yes', '--skip-preview')
    const owner = await made.on(made.names[0]!, `cat ${hostFolder}/owner`)
    const careful = await tasksOf(lab, { owner, confirm: 30 })
    const careless = await tasksOf(lab, { owner, confirm: 0 })

    const applies: SshApply[] = []
    for (const hosts of [1, servers])
      applies.push(await sideBySide(lab, hosts, first(careful, hosts), first(careless, hosts)))
    const up: number[] = []
    for (let round = 0; round < rounds; round++) {
      await wipe(careful, signal)
      up.push((await lab.pulumi('up', '--yes', '--skip-preview')).ms)
      say(`${servers} hosts: pulumi up ${seconds(up.at(-1)!)} s`)
    }
    await lab.pulumi('destroy', '--yes', '--skip-preview')
    return { applies, up }
  } finally {
    if (lab) for (const name of made.names) await forgetHost(lab.name, name)
    await lab?.remove()
    await made.remove()
  }

  async function sideBySide(
    { folder }: Lab,
    hosts: number,
    tasks: Tasks,
    careless: Tasks,
  ): Promise<SshApply> {
    const ms: Record<Way, number[]> = { openssh: [], overlab: [], unconfirmed: [] }
    let counts = { connects: 0, roundTrips: 0 }
    const runs: Record<Way, () => Promise<number>> = {
      openssh: () => floor(folder, tasks, signal),
      async overlab() {
        const { ms, connects, roundTrips } = await pushed(tasks, signal)
        counts = { connects: connects / hosts, roundTrips: roundTrips / hosts }
        return ms
      },
      unconfirmed: async () => (await pushed(careless, signal)).ms,
    }
    for (let round = 0; round < rounds; round++) {
      // In turn, so that what else the machine does meets all alike.
      for (const way of [...ways.slice(round % ways.length), ...ways.slice(0, round % ways.length)]) {
        await wipe(tasks, signal)
        ms[way].push(await runs[way]())
      }
      say(
        `${hosts} of ${servers} hosts: ${ways.map((way) => `${way} ${seconds(ms[way].at(-1)!)} s`).join(', ')}`,
      )
    }
    return { hosts, ms, ...counts }
  }
}

function first(tasks: Tasks, hosts: number): Tasks {
  return Object.fromEntries(Object.entries(tasks).slice(0, hosts))
}

function formOf({ net, names, key, knownHosts, port }: Servers): Form {
  return {
    backend: { Type: 'vxlan' },
    lab: { machine: 'ssh', underlay: `${net}.0/24` },
    all: {
      hosts: Object.fromEntries(names.map((host, index) => [host, { address: `${net}.${index + 1}` }])),
      vars: {
        pods: 2,
        ssh_user: 'ops',
        ssh_port: port,
        ssh_key: key,
        ssh_known_hosts: knownHosts,
        become: true,
        // No systemd runs there.
        persist: false,
      },
    },
  }
}

/** Of overlab's apply for the plain script, in the same round. */
const wanted: Target = { at: 'most', bound: 1.5 }

export function sshSections({ applies, up }: Ssh): Section[] {
  const row = (title: string, cell: (apply: SshApply) => string) => [title, ...applies.map(cell)]
  const ratio = (way: Way) => (apply: SshApply) => ratios(byRound(apply.ms[way]), byRound(apply.ms.openssh))
  const of = (way: Way) => (apply: SshApply) => seconds(median(apply.ms[way]))
  const all = applies.at(-1)?.hosts
  return [
    [
      'The apply to hosts that exist, seconds',
      table(
        ['', ...applies.map(({ hosts }) => (hosts === 1 ? '1 host' : `${hosts} hosts`))],
        [
          row('one OpenSSH client a host, one script each', of('openssh')),
          row("overlab's roll-out: connect, read, save the way back, apply, confirm", of('overlab')),
          row('ratio, round by round', (apply) => ratioText(ratio('overlab')(apply))),
          row(`wanted: ${wantedText(wanted)}`, (apply) => verdict(ratio('overlab')(apply), wanted)),
          row('the same with confirm: off', of('unconfirmed')),
          row('ratio, round by round', (apply) => ratioText(ratio('unconfirmed')(apply))),
          row('pulumi up, refresh included', ({ hosts }) => (hosts === all ? seconds(median(up)) : '-')),
          row(
            'connections / round trips a host',
            ({ connects, roundTrips }) => `${connects} / ${roundTrips}`,
          ),
        ],
      ),
    ],
  ]
}

function byRound(values: readonly number[]): Map<number, number> {
  return new Map(values.entries())
}
