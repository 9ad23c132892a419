import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { kernelFindings } from '../../tools/doctor.ts'
import { kernelProblems, planKernel } from '../../tools/kernel-part.ts'
import { features, offered, parseOffers, probeKernel, type Feature, type Kernel } from '../../tools/kernel.ts'
import { temporaryFolder } from './temporary.ts'

/** A kernel that offers everything but these. */
function without(...missing: Feature[]): Kernel {
  const offers = features.map((feature) => ({
    feature,
    offered: missing.includes(feature) ? ('no' as const) : ('yes' as const),
    why: '',
  }))
  return { release: '6.1.0-test', offers }
}

describe('what a stack cannot do without', () => {
  test.each([
    ['vxlan', [], []],
    [
      'vxlan',
      ['vxlan'],
      [
        /^kernel 6\.1\.0-test has no vxlan, which the stack vxlan needs: .*modprobe.*PULUMI_STACK=host-gw npm run lab$/,
      ],
    ],
    ['host-gw', ['vxlan', 'fou', 'lwtunnel bpf'], []],
    ['udp', ['lwtunnel bpf'], [/has no lwtunnel bpf, which the stack udp needs/]],
    ['vxlan', ['iptables (nft)'], []],
    [
      'vxlan',
      ['iptables (nft)', 'iptables (legacy)'],
      [/has no iptables \(nft\) or iptables \(legacy\), which every lab needs/],
    ],
    ['my-own-stack', ['bridge'], [/has no bridge, which every lab needs/]],
  ] as [string, Feature[], RegExp[]][])('%s without %j', (stack, missing, messages) => {
    expect(kernelProblems(without(...missing), stack)).toEqual(
      messages.map((message) => expect.stringMatching(message)),
    )
  })
})

test("the trial's answers, and what could not be tried", () => {
  const offers = parseOffers(
    'veth\tyes\t\nfou\tno\tRTNETLINK answers: no\nvxlan\tunknown\tip is missing\n',
    'died',
  )
  const of = (feature: Feature) => offers.find((offer) => offer.feature === feature)
  expect(of('veth')).toEqual({ feature: 'veth', offered: 'yes', why: '' })
  expect(of('fou')).toEqual({ feature: 'fou', offered: 'no', why: 'RTNETLINK answers: no' })
  expect(of('vxlan')).toEqual({ feature: 'vxlan', offered: 'unknown', why: 'ip is missing' })
  expect(of('tun')).toEqual({ feature: 'tun', offered: 'unknown', why: 'died' })
})

describe('set-up tries a kernel once', () => {
  test('a fit one is remembered, for this stack only', async () => {
    const file = join(temporaryFolder(), 'overlab', 'kernel')
    let tried = 0
    const probe = async () => (tried++, without())
    await planKernel('vxlan', file, probe)
    await planKernel('vxlan', file, probe)
    expect(tried).toBe(1)
    await planKernel('udp', file, probe)
    expect(tried).toBe(2)
  })

  test('an unfit one is a problem each time, and nothing is written', async () => {
    const file = join(temporaryFolder(), 'kernel')
    const probe = async () => without('vxlan')
    expect((await planKernel('vxlan', file, probe))?.problems).toHaveLength(1)
    expect((await planKernel('vxlan', file, probe))?.problems).toHaveLength(1)
  })

  test('another kernel is tried again', async () => {
    const file = join(temporaryFolder(), 'kernel')
    writeFileSync(file, '2.6.32 vxlan\n')
    expect((await planKernel('vxlan', file, async () => without('vxlan')))?.problems).toHaveLength(1)
  })
})

test('doctor tells the vital from the optional', () => {
  const findings = kernelFindings(without('bridge', 'netem'))
  const status = (name: string) => findings.find((finding) => finding.name === name)?.status
  expect([status('bridge'), status('netem'), status('veth')]).toEqual(['missing', 'optional', 'ok'])
})

test('this kernel, really tried', { timeout: 60_000 }, async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'needs root')
  const before = readlinkSync('/proc/self/ns/net')
  const kernel = await probeKernel()
  expect(offered(kernel, 'network namespace')).toBe(true)
  expect(offered(kernel, 'veth')).toBe(true)
  expect(kernel.offers.map((offer) => offer.feature)).toEqual(features)
  expect(readlinkSync('/proc/self/ns/net')).toBe(before)
})
