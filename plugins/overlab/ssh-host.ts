/** The resource overlab:index:SshHost: a host that exists. It is looked at, never made or removed. */
import { z } from 'zod'
import { backendTypes } from '../../inventory/inventory.ts'
import { cidr, type Cidr, hostName, ifName, ip, name } from '../../inventory/values.ts'
import { forgetFound, recordFound } from '../../machines/found.ts'
import { lackText, lookAt } from '../../machines/ssh/look.ts'
import { forgetHost, recordHost } from '../../machines/ssh/records.ts'
import { hasFou, mayHaveFou } from '../../modules/fou.ts'
import { alias, hostFolder, protocol } from '../../modules/owner.ts'
import { bridge } from '../../overlay/pods.ts'
import { HostError } from '../../remote/errors.ts'
import type { Pool } from '../../remote/pool.ts'
import type { Target } from '../../remote/target.ts'
import type { Context, ResourceHandlers } from '../server/handlers.ts'
import type { Values } from '../server/values.ts'
import { resource } from './resource.ts'

const login = {
  host: z.string().min(1),
  port: z.int().min(1).max(65535),
  user: z.string().min(1),
  key: z.string().exactOptional(),
  hostKey: z.string().exactOptional(),
  knownHosts: z.string().min(1),
}

const inputs = z.strictObject({
  lab: name,
  hostname: hostName,
  address: ip,
  underlay: cidr,
  network: cidr,
  mtu: z.int().min(576).max(65535),
  backend: z.enum(backendTypes),
  /** Links that the overlay will make; one of these names that overlab did not make is in the way. */
  links: z.array(ifName),
  /** The UDP port at which peers' packets arrive. */
  port: z.int().min(1).max(65535).exactOptional(),
  /** The NIC that the inventory names. */
  givenNic: ifName.exactOptional(),
  owner: z.string().min(1),
  /** It is to restore its data plane at boot. */
  persist: z.boolean().default(false),
  access: z.strictObject({
    ...login,
    jump: z.strictObject(login).exactOptional(),
    become: z.boolean(),
    confirm: z.int().min(0),
  }),
  /** False is what a refresh finds where something is wrong; the next update looks again. */
  fit: z.boolean().default(true),
})
type Inputs = z.output<typeof inputs>

interface Learnt {
  /** How it is reached; null until it was reached once. */
  readonly target: Omit<Target, 'name'> | null
  readonly nic: string
  /** What the NIC reaches without a router; null where nobody has looked. */
  readonly onLink: readonly Cidr[] | null
  readonly way: { readonly from: string; readonly dev: string; readonly via?: string } | null
  /** Its kernel has fou and ipip, for the udp backend. */
  readonly fou: boolean
  /** systemd runs there, and can restore a data plane at boot. */
  readonly systemd: boolean
  /** Debian packages that overlab asked for so far; they stay when the lab goes. */
  readonly packages: readonly string[]
  /** How often it did: another number runs the installation again. */
  readonly attempt: number
  /** It was fit once: packages and acts of bootstrap are for it. */
  readonly admitted: boolean
  /** Why nothing can be done on it now; empty = it is fit. */
  readonly problem: string
}

const nothing: Learnt = {
  target: null,
  nic: '',
  onLink: null,
  way: null,
  fou: false,
  systemd: false,
  packages: [],
  attempt: 0,
  admitted: false,
  problem: '',
}

export function sshHost(pool: Pool): Required<ResourceHandlers> {
  /** Never fails: a host that cannot be worked on must not stop the others; the data plane says so at its end. */
  async function look(
    args: Inputs,
    { signal, log }: Context,
    known: Learnt,
    tell: boolean,
  ): Promise<{ learnt: Learnt; isComplete: boolean }> {
    try {
      const { target, facts, verdict } = await lookAt(
        pool,
        {
          name: args.hostname,
          access: args.access,
          backend: args.backend,
          wanted: {
            ...args,
            bridge,
            nic: args.givenNic,
            settled: known.admitted,
            marks: { alias, protocol },
          },
          folder: hostFolder,
          fou: args.backend === 'udp' ? hasFou : mayHaveFou,
        },
        signal,
      )
      await recordHost(args.lab, target)
      recordFound(args.lab, args.hostname, {
        fou: facts.hasFou,
        place: {
          address: args.address,
          systemd: facts.hasSystemd,
          ...(verdict.nic && { nic: verdict.nic, onLink: verdict.onLink }),
        },
      })
      // What keeps it from being fit is told as an error; what may cost packets is told at every look.
      if (verdict.lacks.length === 0)
        for (const warning of verdict.warnings) log.warning(`${args.hostname}: ${warning}`)
      if (tell) for (const note of verdict.notes) log.info(`${args.hostname}: ${note}`)
      const { name: _, ...reached } = target
      const { dev = '', gateway } = facts.way ?? {}
      const isComplete = verdict.packages.length === 0
      const learnt = {
        target: reached,
        nic: verdict.nic || known.nic,
        onLink: verdict.nic ? verdict.onLink : known.onLink,
        way: { from: facts.from, dev, ...(gateway !== undefined && { via: gateway }) },
        fou: facts.hasFou,
        systemd: facts.hasSystemd,
        packages: [...new Set([...known.packages, ...verdict.packages])],
        attempt: known.attempt + (!isComplete && tell ? 1 : 0),
        admitted: known.admitted || verdict.lacks.length === 0,
        problem: verdict.lacks.length > 0 ? lackText(args.hostname, verdict.lacks) : '',
      }
      return { learnt, isComplete }
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      return { learnt: { ...known, problem: error.message }, isComplete: true }
    }
  }

  return resource<Inputs>({
    inputs,
    replaceOn: ['lab', 'hostname'],
    async create(args, context) {
      context.log.status('looking')
      return { id: `${args.lab}/${args.hostname}`, learnt: (await look(args, context, nothing, true)).learnt }
    },
    async read(args, context, state) {
      const known = learntOf(state)
      const { learnt, isComplete } = await look(args, context, known, false)
      if (learnt.problem !== '') context.log.warning(learnt.problem)
      // What is missing (again) is asked for by an update, whose attempt has a number of its own.
      return {
        inputs: { fit: learnt.problem === '' && isComplete },
        learnt: { ...learnt, packages: known.packages },
      }
    },
    async update(args, context, _olds, state) {
      return { learnt: (await look(args, context, learntOf(state), true)).learnt }
    },
    async delete({ lab, hostname }) {
      await forgetHost(lab, hostname)
      forgetFound(lab, hostname)
    },
  })
}

function learntOf(state: Values): Learnt {
  // eslint-disable-next-line overlab/no-cast-of-unknown -- this resource's own state; what a state of before lacks is filled in
  return Object.fromEntries(
    Object.entries(nothing).map(([key, empty]) => [key, state[key] ?? empty]),
  ) as unknown as Learnt
}
