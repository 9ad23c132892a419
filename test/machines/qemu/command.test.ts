import { expect, test } from 'vitest'
import { hasVirtualization } from '../../../machines/qemu/accelerator.ts'
import { qemuCommand, type Hardware } from '../../../machines/qemu/command.ts'
import { sourceLines } from '../../../machines/qemu/image.ts'

const hardware: Hardware = {
  name: 'node1',
  mac: '0a:58:0a:f4:01:02',
  port: 'm-node1',
  disk: '/var/lib/overlab/a,b/node1/disk.qcow2',
  settings: { vcpus: 2, memory: 512 },
  accelerator: 'tcg',
  ownKernel: true,
}
const text = (over: Partial<Hardware>) => qemuCommand({ ...hardware, ...over }).join(' ')

test("a VM on overlab's kernel", () => {
  const words = text({})
  expect(words).toMatch(/^qemu-system-x86_64 -name node1 -machine q35,pit=off -accel tcg,/)
  expect(words).toContain('-smp 2 -m 512')
  expect(words).toContain('-kernel kernel -initrd initrd -append console=ttyS0 ')
  expect(words).toContain('ifname=m-node1')
  expect(words).not.toContain('seed')
})

test('the time is not kept by the TSC of an emulated CPU', () => {
  expect(text({})).toMatch(/-append "?.*tsc=unstable/)
  expect(text({ accelerator: 'kvm' })).toMatch(/-machine q35 .*-append "?.*tsc=reliable/)
})

test('a comma in a path is not the end of it', () => {
  expect(text({})).toContain('file=/var/lib/overlab/a,,b/node1/disk.qcow2')
})

test('an image of its own boots by itself, with a drive for cloud-init', () => {
  const words = text({ ownKernel: false, accelerator: 'kvm' })
  expect(words).toContain('-accel kvm -cpu host')
  expect(words).not.toContain('-kernel')
  expect(words).toContain('file.label=cidata')
})

test.each([
  ['flags\t\t: fpu vme svm sse', true],
  ['flags\t\t: fpu vmx', true],
  ['flags\t\t: fpu hypervisor svm_lock', false],
  ['model name\t: svm', false],
])('%j: virtualization %s', (cpuinfo, has) => expect(hasVirtualization(cpuinfo)).toBe(has))

test("the archive that this system uses, of the image's release", () => {
  const targets = [
    'Packages main bookworm http://mirror/debian/',
    'Packages main bookworm-updates http://mirror/debian/',
    'Packages main bookworm-security http://mirror/debian-security/',
    'Packages contrib bookworm http://mirror/debian/',
    'Translations main bookworm http://mirror/debian/',
  ].join('\n')
  expect(sourceLines(targets, 'bookworm')).toEqual([
    'deb http://mirror/debian/ bookworm main',
    'deb http://mirror/debian-security/ bookworm-security main',
  ])
  expect(sourceLines(targets, 'trixie')).toEqual([])
})
