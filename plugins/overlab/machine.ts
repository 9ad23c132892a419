/** The resource overlab:index:Machine. */
import { z } from 'zod'
import { machineKinds } from '../../inventory/inventory.ts'
import { cidr, ip, mac, name } from '../../inventory/values.ts'
import { driverOf } from '../../machines/drivers.ts'
import { readMachine } from '../../machines/lab/records.ts'
import type { MachineSpec } from '../../machines/machine.ts'
import { HostError } from '../../remote/errors.ts'
import type { Target } from '../../remote/target.ts'
import type { Context } from '../server/handlers.ts'
import { unknown } from '../server/values.ts'
import { gone, resource } from './resource.ts'

const inputs = z.strictObject({
  lab: name,
  machine: z.enum(machineKinds).default('namespace'),
  hostname: name,
  address: ip,
  underlay: cidr,
  mtu: z.int().min(576).max(65535),
  mac,
  /** Of the kind qemu. */
  qemu: z
    .strictObject({
      vcpus: z.int().min(1),
      memory: z.int().min(1),
      disk: z.int().min(1).optional(),
      image: z.string().min(1).optional(),
    })
    .optional(),
  /** Where it does not boot, that is told in `problem`, and what needs the other machines goes on. */
  mayFail: z.boolean().default(false),
  /** False is what a refresh finds after a power cut: the machine's files are there, and the next update boots it on them. */
  running: z.boolean().default(true),
})

export const machine = resource({
  inputs,
  replaceOn: ['lab', 'machine', 'hostname', 'address', 'underlay', 'mtu', 'mac', 'qemu.image'],
  async create(args, context) {
    return { id: `${args.lab}/${args.hostname}`, learnt: await started(args, context) }
  },
  async read(args, _context, state) {
    // A start that this `up` did not make is no reason for an update: the data plane's own refresh reads the kernels.
    const boot = state['boot'] ?? ''
    const driver = driverOf(args.machine)
    const target = await driver.read(specOf(args))
    if (target) return { inputs: { running: true }, learnt: { ...reached(target), boot, problem: '' } }
    const stopped = (await driver.list(args.lab)).find(({ target }) => target.name === args.hostname)
    const problem = state['problem'] ?? ''
    return stopped
      ? { inputs: { running: false }, learnt: { ...reached(stopped.target), boot, problem } }
      : gone
  },
  foresee(args, { log }, olds) {
    const kept = { ...olds.qemu }
    const settings = Object.entries({ ...args.qemu }).flatMap(([key, to]) =>
      kept[key as keyof typeof kept] === to ? [] : [key],
    )
    if (olds.running && settings.length > 0)
      log.info(
        `${args.hostname} is restarted, as by a power cut, on its disk: for ${settings.join(', ')}; its processes end`,
      )
    return { boot: unknown, problem: '' }
  },
  async update(args, context) {
    return { learnt: await started(args, context) }
  },
  async delete(args) {
    await driverOf(args.machine).remove(args.lab, args.hostname)
  },
})

function specOf({
  hostname,
  machine: _kind,
  running: _running,
  mayFail: _mayFail,
  ...rest
}: z.output<typeof inputs>): MachineSpec {
  return { name: hostname, ...rest }
}

async function started(args: z.output<typeof inputs>, { log }: Context): Promise<object> {
  const { lab, hostname } = args
  const driver = driverOf(args.machine)
  log.status('booting')
  try {
    const target = await driver.boot(specOf(args), (what) => log.status(what))
    return { ...reached(target), boot: (await readMachine(lab, hostname))?.boot ?? '', problem: '' }
  } catch (error) {
    if (!args.mayFail || !(error instanceof HostError)) throw error
    log.status('does not boot')
    const made = (await driver.list(lab)).find(({ target }) => target.name === hostname)
    return { ...(made ? reached(made.target) : nowhere), boot: '', problem: error.message }
  }
}

/** No host shows this key, so nobody is taken for a machine that was never made. */
const nowhere = { port: 22, user: 'root', hostKey: 'ssh-ed25519 none' }

function reached({ port, user, hostKey }: Target): object {
  return { port, user, hostKey }
}
