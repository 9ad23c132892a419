/** The command that is a VM. Run in the machine's folder, in the underlay's network namespace. Pure. */
import type { QemuSettings } from '../../inventory/inventory.ts'
import type { Accelerator } from './accelerator.ts'

export interface Hardware {
  readonly name: string
  readonly mac: string
  /** Its tap, a port of the underlay's bridge. */
  readonly port: string
  readonly disk: string
  readonly settings: QemuSettings
  readonly accelerator: Accelerator['name']
  /** Where the disk does not boot by itself: `kernel` and `initrd` of the machine's folder do it. */
  readonly ownKernel: boolean
}

/** What a kernel need not do in a lab: half a second each where the CPU is emulated. */
const kernelWords = [
  ...['console=ttyS0', 'net.ifnames=0', 'quiet', 'nokaslr', 'mitigations=off', 'nopti', 'audit=0'],
  ...['apparmor=0', 'selinux=0', 'cryptomgr.notests', 'no_timer_check', 'random.trust_cpu=on'],
  '8250.nr_uarts=1',
]

/**
 * An emulated CPU's TSC is this computer's own, and a kernel that finds out its rate while others use that computer
 * may be wrong by far (a clock was seen to run 27 times too fast); so it is told to keep time by the HPET.
 */
const clocks = {
  kvm: { machine: 'q35', word: 'tsc=reliable' },
  tcg: { machine: 'q35,pit=off', word: 'tsc=unstable' },
} as const

export function qemuCommand(hardware: Hardware): string[] {
  const { settings, accelerator, ownKernel } = hardware
  // Emulated instructions are kept; 64 MiB of them are enough for a whole boot, and the default is 1 GiB.
  const how =
    accelerator === 'kvm'
      ? ['-accel', 'kvm', '-cpu', 'host']
      : ['-accel', 'tcg,thread=multi,tb-size=64', '-cpu', 'max']
  // A whole image finds what overlab tells it on a second drive, and says where its boot hangs on the firmware's port.
  const start = ownKernel
    ? [
        ...['-kernel', 'kernel', '-initrd', 'initrd'],
        ...['-append', [...kernelWords, clocks[accelerator].word].join(' ')],
      ]
    : [
        ...[
          '-drive',
          'id=seed,if=none,format=raw,readonly=on,file.driver=vvfat,file.dir=seed,file.label=cidata',
        ],
        ...['-device', 'virtio-blk-pci,drive=seed'],
        ...[
          '-chardev',
          'file,id=firmware,path=firmware',
          '-device',
          'isa-debugcon,iobase=0x402,chardev=firmware',
        ],
      ]
  return [
    'qemu-system-x86_64',
    ...['-name', hardware.name, '-machine', ownKernel ? clocks[accelerator].machine : 'q35', ...how],
    ...['-smp', String(settings.vcpus), '-m', String(settings.memory)],
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-chardev', 'file,id=console,path=console', '-serial', 'chardev:console'],
    // What the VM has written lies in this machine's cache when qemu is killed; only a power cut of this machine itself
    // could lose it.
    ...[
      '-drive',
      `id=disk,if=none,format=qcow2,cache=unsafe,discard=unmap,file=${hardware.disk.replaceAll(',', ',,')}`,
    ],
    ...['-device', 'virtio-blk-pci,drive=disk,bootindex=1'],
    ...['-netdev', `tap,id=net,ifname=${hardware.port},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=net,mac=${hardware.mac},romfile=`],
    // Entropy, for an image whose kernel trusts no CPU.
    ...['-device', 'virtio-rng-pci'],
    ...start,
  ]
}
