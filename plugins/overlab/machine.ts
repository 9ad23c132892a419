/** The resource overlab:index:Machine. */
import { z } from 'zod'
import { machineKinds } from '../../inventory/inventory.ts'
import { cidr, ip, mac, name, type Name } from '../../inventory/values.ts'
import { driverOf } from '../../machines/drivers.ts'
import { readMachine } from '../../machines/lab/records.ts'
import type { MachineSpec } from '../../machines/machine.ts'
import type { Target } from '../../remote/target.ts'
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
  /** False is what a refresh finds after a power cut: the machine's files are there, and the next update boots it on them. */
  running: z.boolean().default(true),
})

export const machine = resource({
  inputs,
  replaceOn: ['lab', 'machine', 'hostname', 'address', 'underlay', 'mtu', 'mac', 'qemu.image'],
  async create(args, { log }) {
    log.status('booting')
    return {
      id: `${args.lab}/${args.hostname}`,
      learnt: await started(
        args.lab,
        await driverOf(args.machine).boot(specOf(args), (what) => log.status(what)),
      ),
    }
  },
  async read(args, _context, state) {
    // A start that this `up` did not make is no reason for an update: the data plane's own refresh reads the kernels.
    const boot = state['boot'] ?? ''
    const driver = driverOf(args.machine)
    const target = await driver.read(specOf(args))
    if (target) return { inputs: { running: true }, learnt: { ...reached(target), boot } }
    const stopped = (await driver.list(args.lab)).find(({ target }) => target.name === args.hostname)
    return stopped ? { inputs: { running: false }, learnt: { ...reached(stopped.target), boot } } : gone
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
    return { boot: unknown }
  },
  async update(args, { log }) {
    log.status('booting')
    return {
      learnt: await started(
        args.lab,
        await driverOf(args.machine).boot(specOf(args), (what) => log.status(what)),
      ),
    }
  },
  async delete(args) {
    await driverOf(args.machine).remove(args.lab, args.hostname)
  },
})

function specOf({
  hostname,
  machine: _kind,
  running: _running,
  ...rest
}: z.output<typeof inputs>): MachineSpec {
  return { name: hostname, ...rest }
}

async function started(lab: Name, target: Target): Promise<object> {
  return { ...reached(target), boot: (await readMachine(lab, target.name as Name))?.boot ?? '' }
}

function reached({ port, user, hostKey }: Target): object {
  return { port, user, hostKey }
}
