/** Impairments in the kernel: every form after every other, what is somebody else's, and what this kernel lacks. */
import { afterAll, beforeEach, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Duration, Rate, Share } from '../../inventory/quantities.ts'
import type { Cidr, IfName, Ip } from '../../inventory/values.ts'
import {
  classOf,
  impairmentModule as module,
  impairmentToward,
  sharedImpairment,
} from '../../modules/impairment.ts'
import type { Table } from '../../modules/state.ts'
import { apply, current, kernel, scope, type Kernel } from '../support/kernel.ts'

const key = (peer: number) => `eth0 to 192.168.77.${peer}`
const own = (peer: number, words: string): Table => ({ [key(peer)]: `subnet 10.244.${peer}.0/24 ${words}` })

describe('rows', () => {
  it('are written by tc’s words', () => {
    const nic = 'eth0' as IfName
    const quantities = { loss: '1%' as Share, delay: '20ms' as Duration, rate: '100mbit' as Rate }
    expect(sharedImpairment(nic, quantities)).toEqual({
      key: 'eth0',
      line: 'rate 100mbit delay 20ms loss 1%',
    })
    const peer = { address: '192.168.77.2' as Ip, subnet: '10.244.2.0/24' as Cidr }
    expect(impairmentToward(nic, peer, quantities)).toEqual({
      key: key(2),
      line: 'subnet 10.244.2.0/24 rate 100mbit delay 20ms loss 1%',
    })
    expect(impairmentToward(nic, peer, 'shared').line).toBe('subnet 10.244.2.0/24 shared')
  })

  it.for([
    ['eth0', 'loss 1% rate 0.1gbit', 'rate 100mbit loss 1%'],
    ['eth0', 'delay 1.5ms jitter 1000us', 'delay 1500us jitter 1ms'],
    [key(2), 'shared subnet 10.244.2.0/24', 'subnet 10.244.2.0/24 shared'],
  ] as const)('become canonical: %s %s', ([key, line, canonical]) => {
    expect(module.row.parse({ key, line })).toBe(canonical)
  })

  it.for([
    ['eth0', '', 'needs some of rate, delay, jitter, loss'],
    ['eth0', 'shared', '"shared" is for the way to one peer'],
    ['eth0', 'subnet 10.244.2.0/24 rate 1mbit', '"subnet" is for the way to one peer'],
    ['eth0', 'jitter 1ms', '"jitter" needs "delay"'],
    ['eth0', 'rate 1mbps', 'is not a rate'],
    ['eth0', 'rate 1kbit', 'is out of range'],
    ['eth0', 'loss 0%', 'is out of range'],
    ['eth0', 'loss 1', 'is not a share'],
    ['eth0', 'delay 2m', 'is not a time'],
    ['eth0 to node2', 'subnet 10.244.2.0/24 shared', 'is not of the form'],
    ['eth0 to 10.0.0.0', 'subnet 10.244.2.0/24 shared', 'for which there is no class'],
    [key(2), 'shared', '"subnet" is missing'],
    [key(2), 'subnet 10.244.2.0/24', 'needs "shared" or some of'],
    [key(2), 'subnet 10.244.2.0/24 shared rate 1mbit; reboot', 'holds ";"'],
  ] as const)('are refused: %s "%s"', ([key, line, message]) => {
    const { success, error } = module.row.safeParse({ key, line })
    expect(success).toBe(false)
    expect(error!.issues[0]!.message).toContain(message)
  })
})

describe('in a kernel', () => {
  let machine: Kernel
  beforeAll(async () => {
    machine = await kernel()
  })
  afterAll(() => machine?.close())
  beforeEach(() =>
    machine.sh('ip link add eth0 type veth peer name far0; ip link set eth0 up; ip link set far0 up'),
  )
  afterEach(() => machine.sh('ip link del eth0'))
  const root = async () => (await machine.sh('tc qdisc show dev eth0')).split('\n')[0]

  const forms: readonly Table[] = [
    {},
    own(2, 'rate 10mbit'),
    { eth0: 'rate 100mbit', ...own(2, 'shared'), ...own(3, 'shared') },
    { eth0: 'rate 50mbit', ...own(2, 'rate 1500kbit'), ...own(3, 'shared') },
    { ...own(2, 'rate 20mbit'), ...own(3, 'rate 30mbit') },
    { ...own(2, 'rate 20mbit'), [key(3)]: 'subnet 10.244.8.0/24 rate 30mbit' },
    { ...own(1, 'rate 12345kbit'), ...own(255, 'rate 8001bit') },
  ]
  it('each form follows each other one, and is then as it was wanted', async () => {
    for (const from of forms)
      for (const to of forms) {
        await apply(machine, module, scope(from))
        await apply(machine, module, scope(to, from))
        expect(await current(machine, module, scope(to, to))).toEqual(to)
        expect(await apply(machine, module, scope(to, to))).toEqual([])
      }
    await apply(machine, module, scope({}))
    expect(await root()).toContain('qdisc noqueue 0: root')
  }, 60_000)

  it('lives beside the hook of tc filters, and leaves it when it goes', async () => {
    await machine.sh(
      'tc qdisc add dev eth0 clsact; tc filter add dev eth0 ingress pref 7 bpf bytecode "1,6 0 0 0,"',
    )
    await apply(machine, module, scope(own(2, 'rate 10mbit')))
    await apply(machine, module, scope({}))
    expect(await machine.sh('tc filter show dev eth0 ingress')).toContain('pref 7')
  })

  it.for<[string, string, Table]>([
    [
      'another rate',
      'tc qdisc replace dev eth0 parent 7979:4d02 tbf rate 1mbit burst 16384 latency 50ms',
      own(2, 'rate 1mbit'),
    ],
    [
      'another latency',
      'tc qdisc replace dev eth0 parent 7979:4d02 tbf rate 10mbit burst 16384 latency 90ms',
      own(2, 'rate 10mbit latency 90000us'),
    ],
    ['no qdisc in the class', 'tc qdisc del dev eth0 parent 7979:4d02', own(2, 'nothing')],
    [
      'a filter that is gone',
      'tc filter del dev eth0 parent 7979: protocol ip pref 19714 handle 800::801 u32',
      { [key(2)]: 'rate 10mbit led by 1 filters to 7979:4d02' },
    ],
    [
      'the other filter gone',
      'tc filter del dev eth0 parent 7979: protocol ip pref 19714 handle 800::800 u32',
      own(2, 'rate 10mbit led by 1 filters to 7979:4d02'),
    ],
    ['both filters gone', 'tc filter del dev eth0 parent 7979: protocol ip pref 19714', {}],
    ['the root gone', 'tc qdisc del dev eth0 root', {}],
  ])('drift is seen and mended: %s', async ([, drift, found]) => {
    const wanted = own(2, 'rate 10mbit')
    await apply(machine, module, scope(wanted))
    await machine.sh(drift)
    expect(await current(machine, module, scope(wanted, wanted))).toEqual(found)
    expect(await apply(machine, module, scope(wanted, wanted))).toHaveLength(1)
    expect(await current(machine, module, scope(wanted, wanted))).toEqual(wanted)
  })

  it("somebody else's qdisc is neither shown nor touched; to want another is refused", async () => {
    await machine.sh('tc qdisc add dev eth0 root handle 5: tbf rate 1mbit burst 10000 latency 10ms')
    expect(await apply(machine, module, scope({}))).toEqual([])
    await expect(apply(machine, module, scope(own(2, 'rate 10mbit')))).rejects.toThrow(
      'eth0 has a qdisc of somebody else at its root (tbf 5:); remove it (tc qdisc del dev eth0 root), or the impairments',
    )
    expect(await root()).toContain('qdisc tbf 5: root')
  })

  it('a root that an interrupted run left is removed', async () => {
    await machine.sh('tc qdisc add dev eth0 root handle 7979: htb default 0')
    expect(await apply(machine, module, scope({}))).toHaveLength(1)
    expect(await root()).toContain('noqueue')
  })

  it('delay needs netem: made where the kernel has it, refused by its name elsewhere', async () => {
    const wanted = { ...own(2, 'rate 10mbit delay 20ms jitter 2ms loss 1%'), ...own(3, 'delay 1500us') }
    const { code } = await machine.run('unshare --net tc qdisc add dev lo root netem delay 1ms')
    if (code === 0) {
      await apply(machine, module, scope(wanted))
      expect(await current(machine, module, scope(wanted))).toEqual(wanted)
    } else {
      await expect(apply(machine, module, scope(wanted))).rejects.toThrow(
        'the kernel has no sch_netem (CONFIG_NET_SCH_NETEM), and so no delay, jitter or loss on a link; keep rate alone in impairments, or use machines whose kernel has it',
      )
      expect(await root()).toContain('noqueue')
    }
  })

  it('the class is the end of the address', () => {
    expect(classOf('192.168.77.2')).toBe(0x4d02)
  })
})
