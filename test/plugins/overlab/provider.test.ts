/** The provider as the engine speaks to it: over gRPC, each call with its answer. No host is asked. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unknown, type Values } from '../../../plugins/server/values.ts'
import { failure, reached, startPlugin, type StartedPlugin } from '../server/plugin.ts'

let plugin: StartedPlugin
beforeAll(async () => {
  plugin = await startPlugin(join(import.meta.dirname, '../../../plugins/overlab/index.ts'))
})
afterAll(() => plugin.stop())

const dataPlane = 'overlab:index:DataPlane'
const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDvgyU/Bf3+kiszka59LJo+OxSXRWR+lJ5bFU2sxeD/n'
const target = { host: '192.168.77.1', port: 22, user: 'root', hostKey }
const facts = { nic: 'eth0', iptables: 'auto' }

function inputsOf(hosts: Values): Values {
  const each = <T>(value: T) => Object.fromEntries(Object.keys(hosts).map((host) => [host, value]))
  return { identityFile: '/nowhere/key', targets: each(target), facts: each(facts), hosts }
}

describe('DataPlane', () => {
  test('check takes what is right, and writes it as the kernel prints it', async () => {
    const hosts = { node1: { routes: { '10.244.2.0/24': 'dev flannel.1 via 10.244.2.0 onlink' }, fdb: {} } }
    expect(await plugin.check(dataPlane, inputsOf(hosts))).toEqual({
      inputs: inputsOf({ node1: { routes: { '10.244.2.0/24': 'via 10.244.2.0 dev flannel.1 onlink' } } }),
      failures: {},
    })
  })

  test('a host whose kernel is yet to be asked is checked and compared without its rows', async () => {
    const known = inputsOf({ node1: { routes: { '10.244.2.0/24': 'dev eth0 scope link' } }, node2: {} })
    const half = { ...known, hosts: { ...(known['hosts'] as Values), node1: unknown } }
    expect((await plugin.check(dataPlane, half)).failures).toEqual({})
    expect(Object.keys((await plugin.diff(dataPlane, known, half)).detailed)).toEqual(['hosts.node1'])
  })

  test('check names every wrong form by its property', async () => {
    const { failures } = await plugin.check(dataPlane, {
      ...inputsOf({ node1: {}, node2: { tables: {} } }),
      targets: { node1: { ...target, port: 0, hostKey: 'x' }, node2: target },
    })
    expect(failures).toMatchInlineSnapshot(`
      {
        "hosts.node2": "Unrecognized key: "tables"",
        "targets.node1.hostKey": "is not a host key such as ssh-ed25519 AAAA...",
        "targets.node1.port": "Too small: expected number to be >=1",
      }
    `)
  })

  test('check names each wrong row, and the host that has no facts', async () => {
    const { failures } = await plugin.check(dataPlane, {
      ...inputsOf({
        node1: {
          routes: { '10.244.2.0/24': 'via nowhere', '10.244.3.1/24': 'dev eth0' },
          neighbours: { '10.244.2.0 dev flannel.1': 'lladdr 56:c7:49:48:ee' },
          fdb: { '56:c7:49:48:ee:87 dev $(reboot)': 'dst 192.168.77.2' },
          sysctls: { 'net/ipv4/ip_forward': '1\n2' },
        },
      }),
      facts: {},
    })
    expect(failures).toMatchInlineSnapshot(`
      {
        "facts.node1": "is missing, and hosts has node1",
        "hosts.node1.fdb["56:c7:49:48:ee:87 dev $(reboot)"]": "key "56:c7:49:48:ee:87 dev $(reboot)": holds "$", which no key has",
        "hosts.node1.neighbours["10.244.2.0 dev flannel.1"]": "value "lladdr 56:c7:49:48:ee": "lladdr" is missing",
        "hosts.node1.routes["10.244.2.0/24"]": "value "via nowhere": "dev" is missing; say through which link the packets leave",
        "hosts.node1.routes["10.244.3.1/24"]": "key "10.244.3.1/24": has host bits set; write 10.244.3.0/24",
        "hosts.node1.sysctls["net/ipv4/ip_forward"]": "value "1\\n2": holds "\\n", which no value has",
      }
    `)
  })

  test('a preview knows no host key yet, and that is no mistake', async () => {
    const hosts = { node1: { routes: { '10.244.2.0/24': 'dev eth0 scope link' } } }
    const news = {
      ...inputsOf(hosts),
      identityFile: unknown,
      targets: { node1: { ...target, hostKey: unknown, port: unknown } },
    }
    expect(await plugin.check(dataPlane, news)).toEqual({ inputs: news, failures: {} })
    expect(await plugin.create(dataPlane, news, { preview: true })).toEqual({ id: '', outputs: news })
    expect(await plugin.update(dataPlane, 'lab', inputsOf(hosts), news, { preview: true })).toEqual(news)
  })

  test('diff names the objects that change and no others', async () => {
    const olds = inputsOf({
      node1: {
        routes: { '10.244.2.0/24': 'via 10.244.2.0 dev flannel.1 onlink', '10.244.3.0/24': 'dev eth0' },
        sysctls: { 'net/ipv4/ip_forward': '1' },
        fdb: { '56:c7:49:48:ee:87 dev flannel.1': 'dst 192.168.77.2' },
      },
    })
    const news = inputsOf({
      node1: {
        routes: { '10.244.2.0/24': 'via 192.168.77.2 dev eth0', '10.244.4.0/24': 'dev eth0' },
        sysctls: { 'net/ipv4/ip_forward': '1' },
        pods: { 'node1-pod1': '10.244.1.2/24 via 10.244.1.1 dev cni0 mtu 1500 address 0a:58:0a:f4:01:02' },
      },
    })
    expect(await plugin.diff(dataPlane, olds, news)).toEqual({
      changes: 'some',
      detailed: {
        'hosts.node1.routes["10.244.2.0/24"]': 'update',
        'hosts.node1.routes["10.244.3.0/24"]': 'delete',
        'hosts.node1.routes["10.244.4.0/24"]': 'add',
        'hosts.node1.fdb["56:c7:49:48:ee:87 dev flannel.1"]': 'delete',
        'hosts.node1.pods["node1-pod1"]': 'add',
      },
      replaces: [],
      deleteBeforeReplace: false,
    })
    expect((await plugin.diff(dataPlane, olds, { ...olds })).changes).toBe('none')
  })

  test('a host that joins or leaves is one change', async () => {
    const state = { routes: { '10.244.2.0/24': 'dev eth0' } }
    const [one, two] = [inputsOf({ node1: state }), inputsOf({ node1: state, node2: state })]
    const detailed = (kind: string) => ({ 'facts.node2': kind, 'hosts.node2': kind, 'targets.node2': kind })
    expect((await plugin.diff(dataPlane, one, two)).detailed).toEqual(detailed('add'))
    expect((await plugin.diff(dataPlane, two, one)).detailed).toEqual(detailed('delete'))
  })

  test('a host that cannot be reached: a warning at refresh, a failure that names it at create', async () => {
    const inputs = inputsOf({ node1: { routes: { '10.244.2.0/24': 'dev eth0' } } })
    const { id, outputs } = await plugin.read(dataPlane, 'lab', inputs, inputs)
    expect({ id, hosts: outputs['hosts'] }).toEqual({ id: 'lab', hosts: {} })
    expect(plugin.logs.findLast(({ severity }) => severity === 'warning')?.message).toMatch(
      /^node1: connect: .*\/nowhere\/key/,
    )
    expect(await failure(plugin.create(dataPlane, inputs))).toMatch(
      /^node1: connect: .*\/nowhere\/key.*0 of 1 hosts are finished; the next `pulumi up` completes the rest$/s,
    )
  })

  test('a host that leaves and cannot be cleaned stays in the state, to be tried again', async () => {
    const olds = inputsOf({ node1: {}, node2: { sysctls: { 'net/ipv4/ip_forward': '1' } } })
    const error: unknown = await plugin
      .update(dataPlane, 'lab', olds, inputsOf({ node1: {} }))
      .catch((thrown: unknown) => thrown)
    const { outputs, reasons } = reached(error)!
    expect(outputs).toEqual({
      ...inputsOf({ node2: olds['hosts'] } as never),
      hosts: { node2: { sysctls: { 'net/ipv4/ip_forward': '1' } } },
      targets: { node1: target, node2: target },
      facts: { node1: facts, node2: facts },
    })
    expect(reasons.join()).toMatch(/node1: .*node2: /s)
  })
})

describe('Machine and Underlay', () => {
  const machine = {
    lab: 'nolab',
    hostname: 'node1',
    address: '192.168.77.1',
    underlay: '192.168.77.0/24',
    mtu: 1500,
    mac: '02:00:00:00:00:01',
  }
  const underlay = { lab: 'nolab', cidr: '192.168.77.0/24', mtu: 1500, owner: 'a test' }

  test('check names the property', async () => {
    const wrong = { ...machine, address: '192.168.77.256', lab: '$(reboot)', mtu: 1, kind: 'x' }
    expect((await plugin.check('overlab:index:Machine', wrong)).failures).toMatchInlineSnapshot(`
      {
        "": "Unrecognized key: "kind"",
        "address": "is not an IPv4 address; write one such as 192.168.77.1",
        "lab": "is not a name; use lower-case letters, digits and inner dashes, at most 63, with a letter",
        "mtu": "Too small: expected number to be >=576",
      }
    `)
    expect(
      (await plugin.check('overlab:index:Underlay', { ...underlay, cidr: '192.168.77.1/24' })).failures,
    ).toEqual({
      cidr: 'has host bits set; write 192.168.77.0/24',
    })
  })

  test('another address is another machine, and the old one goes first', async () => {
    expect(
      await plugin.diff('overlab:index:Machine', machine, { ...machine, address: '192.168.77.9', mtu: 1400 }),
    ).toEqual({
      changes: 'some',
      detailed: { address: 'update-replace', mtu: 'update-replace' },
      replaces: ['address', 'mtu'],
      deleteBeforeReplace: true,
    })
    expect((await plugin.diff('overlab:index:Machine', machine, machine)).changes).toBe('none')
  })

  test('another prefix is another underlay; another owner is not', async () => {
    const { detailed } = await plugin.diff('overlab:index:Underlay', underlay, {
      ...underlay,
      cidr: '192.168.78.0/24',
      owner: 'x',
    })
    expect(detailed).toEqual({ cidr: 'update-replace', owner: 'update' })
  })

  test('what is not there is gone', async () => {
    for (const [type, inputs] of [
      ['overlab:index:Machine', machine],
      ['overlab:index:Underlay', underlay],
    ] as const)
      expect(await plugin.read(type, 'id', inputs, inputs)).toEqual({ id: '', outputs: {} })
  })
})
