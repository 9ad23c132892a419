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
import { type Form, gone, resource } from './resource.ts'

const inputs = z.strictObject({
  lab: name.describe("The lab's name."),
  machine: z.enum(machineKinds).meta({ id: 'MachineKind' }).default('namespace').describe('Its kind.'),
  hostname: name.describe("The machine's hostname."),
  address: ip.describe('Its address in the underlay, such as 192.168.77.1.'),
  underlay: cidr.describe('The underlay, such as 192.168.77.0/24.'),
  mtu: z.int().min(576).max(65535).describe('MTU of eth0, in bytes.'),
  mac: mac.describe('MAC address of eth0.'),
  qemu: z
    .strictObject({
      vcpus: z.int().min(1).describe('How many CPUs it has.'),
      memory: z.int().min(1).describe('Its memory, in MiB.'),
      disk: z.int().min(1).optional().describe('The size of its disk, in GiB.'),
      image: z.string().min(1).optional().describe('Path of the qcow2 image that it boots from.'),
    })
    .meta({ id: 'QemuSettings' })
    .optional()
    .describe('Settings of a VM; only of the kind qemu.'),
  mayFail: z
    .boolean()
    .default(false)
    .describe('A boot that fails is no error of this resource; `problem` says why, and the others go on.'),
  running: z
    .boolean()
    .default(true)
    .describe(
      'Always true. A refresh after a power cut finds false: its files are there, and the next update boots it on them.',
    ),
})

const outputs = z.object({
  port: z.int().describe('The port of its sshd.'),
  user: z.string().describe('Who logs in.'),
  hostKey: z.string().describe('The host key that its sshd was given, as in authorized_keys.'),
  boot: z.string().describe('When overlab started it last; another value is another start.'),
  problem: z.string().describe('Why it does not boot; empty = it runs.'),
})

type Learnt = z.output<typeof outputs>

export const machineForm: Form<z.output<typeof inputs>, Learnt> = {
  description: 'A machine of a lab, with an sshd.',
  inputs,
  outputs,
  replaceOn: ['lab', 'machine', 'hostname', 'address', 'underlay', 'mtu', 'mac', 'qemu.image'],
}

export const machine = resource(machineForm, {
  async create(args, context) {
    return { id: `${args.lab}/${args.hostname}`, learnt: await started(args, context) }
  },
  async read(args, _context, state) {
    // A start that this `up` did not make is no reason for an update: the data plane's own refresh reads the kernels.
    const { boot, problem } = saidBefore.parse(state)
    const driver = driverOf(args.machine)
    const target = await driver.read(specOf(args))
    if (target) return { inputs: { running: true }, learnt: { ...reached(target), boot, problem: '' } }
    const stopped = (await driver.list(args.lab)).find(({ target }) => target.name === args.hostname)
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

/** What a state of before does not have is empty. */
const saidBefore = z.object({ boot: z.string().default(''), problem: z.string().default('') })

async function started(args: z.output<typeof inputs>, { log }: Context): Promise<Learnt> {
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

function reached({ port, user, hostKey }: Target): Pick<Learnt, 'port' | 'user' | 'hostKey'> {
  return { port, user, hostKey }
}
