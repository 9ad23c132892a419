/** The resource overlab:index:SshHost: a host that exists. It is looked at, never made or removed. */
import { z } from 'zod'
import { backendTypes } from '../../inventory/inventory.ts'
import { cidr, hostName, ifName, ip, name } from '../../inventory/values.ts'
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
import { type Form, resource } from './resource.ts'
import { reachedTarget, way } from './target.ts'

const login = {
  host: z.string().min(1).describe('Its address or name.'),
  port: z.int().min(1).max(65535).describe('The port of its sshd.'),
  user: z.string().min(1).describe('Who logs in.'),
  key: z.string().exactOptional().describe('Path of the SSH client key.'),
  hostKey: z.string().exactOptional().describe('The host key that it must show.'),
  knownHosts: z.string().min(1).describe('Path of the known_hosts file that has its key.'),
}

const inputs = z.strictObject({
  lab: name.describe("The lab's name."),
  hostname: hostName.describe('Its name in the inventory.'),
  address: ip.describe('Its address in the underlay, such as 192.168.1.11.'),
  underlay: cidr.describe('The underlay, such as 192.168.1.0/24.'),
  network: cidr.describe("The pods' network, such as 10.244.0.0/16."),
  mtu: z.int().min(576).max(65535).describe('MTU that its NIC must have, in bytes.'),
  backend: z.enum(backendTypes).meta({ id: 'BackendType' }).describe("The overlay's backend."),
  links: z
    .array(ifName)
    .describe(
      'Links that the overlay will make; one of these names that overlab did not make is in the way.',
    ),
  port: z
    .int()
    .min(1)
    .max(65535)
    .exactOptional()
    .describe("The UDP port at which peers' packets arrive; host-gw has none."),
  givenNic: ifName
    .exactOptional()
    .describe('The NIC that carries the underlay. Default: the one that has the address.'),
  owner: z.string().min(1).describe('Owner of the overlay on it.'),
  persist: z.boolean().default(false).describe('It is to restore its data plane at boot.'),
  access: z
    .strictObject({
      ...login,
      jump: z
        .strictObject(login)
        .meta({ id: 'SshJump' })
        .exactOptional()
        .describe('The way there: a host whose sshd forwards the connection.'),
      become: z.boolean().describe('Every script runs as root, through `sudo -n`.'),
      confirm: z
        .int()
        .min(0)
        .describe('Seconds after which it undoes a change that was not confirmed; 0 = never.'),
    })
    .meta({ id: 'SshAccess' })
    .describe('How it is reached.'),
  fit: z
    .boolean()
    .default(true)
    .describe(
      'Always true. A refresh that finds something wrong says false, and the next update looks again.',
    ),
})
type Inputs = z.output<typeof inputs>

const outputs = z.object({
  target: reachedTarget.nullable().describe('How it was reached; null until it was reached once.'),
  nic: z.string().describe('The NIC that carries the underlay; empty where none was found.'),
  onLink: z
    .array(cidr)
    .readonly()
    .nullable()
    .describe('What the NIC reaches without a router; null until it was looked at.'),
  way: way.nullable().describe('How the host answers overlab; null until it was looked at.'),
  fou: z.boolean().describe('Its kernel has fou and ipip, for the udp backend.'),
  systemd: z.boolean().describe('systemd runs there, and can restore a data plane at boot.'),
  packages: z
    .array(z.string())
    .describe('Debian packages that overlab asked for so far; they stay when the lab goes.'),
  attempt: z.int().describe('How often packages were asked for: another number installs them again.'),
  admitted: z.boolean().describe('It was fit once: packages and acts of bootstrap are for it.'),
  problem: z.string().describe('Why nothing can be done on it now; empty = it is fit.'),
})

interface Learnt extends Omit<z.output<typeof outputs>, 'target'> {
  readonly target: Omit<Target, 'name'> | null
}

export const sshHostForm: Form<Inputs, Learnt> = {
  description:
    "An existing host: looked at in one round trip, and left as it is. One that cannot be reached or is not fit does not fail here; the data plane's error says what is wrong with it.",
  inputs,
  outputs,
  replaceOn: ['lab', 'hostname'],
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

  return resource(sshHostForm, {
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
