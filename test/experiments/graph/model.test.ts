import { describe, expect, test } from 'vitest'
import type { LabGraph } from '../../../experiments/graph/model.ts'
import { backends, hostOf, hostsOf } from '../../support/inventory.ts'
import type { Ip } from '../../../inventory/values.ts'
import { graphOfLab, mixed, plain } from './labs.ts'

const waysOf = ({ ways }: LabGraph): string[] =>
  ways.map(
    ({ kind, between, oneWay, title, detail }) =>
      `${kind} ${between ? between.join(oneWay ? '>' : '-') : 'all'}: ${title}, ${detail}`,
  )

describe('ways between hosts', () => {
  test.each([
    [
      'vxlan-3',
      [
        'tunnel 0-1: 192.168.77.1 - 192.168.77.2, IPv4, UDP 8472, VXLAN VNI 1: +50 bytes',
        'tunnel 0-2: 192.168.77.1 - 192.168.77.3, IPv4, UDP 8472, VXLAN VNI 1: +50 bytes',
        'tunnel 1-2: 192.168.77.2 - 192.168.77.3, IPv4, UDP 8472, VXLAN VNI 1: +50 bytes',
      ],
    ],
    ['vxlan-10', ['tunnel all: full mesh, 45 tunnels, IPv4, UDP 8472, VXLAN VNI 1: +50 bytes']],
    ['udp-10', ['tunnel all: full mesh, 45 tunnels, IPv4, UDP 8285: +28 bytes']],
    ['host-gw-10', ['route all: full mesh, 45 pairs by plain routes, no outer header']],
  ])('%s', (name, ways) => expect(waysOf(plain[name]!)).toEqual(ways))

  test('with DirectRouting, what the routes say: the tunnel to and from the host on another link', () => {
    expect(waysOf(mixed)).toEqual([
      'route 0-1: 192.168.77.1 - 192.168.77.2, plain route, no outer header',
      'tunnel 0-2: 192.168.77.1 - 198.51.100.3, IPv4, UDP 8472, VXLAN VNI 1: +50 bytes',
      'tunnel 1-2: 192.168.77.2 - 198.51.100.3, IPv4, UDP 8472, VXLAN VNI 1: +50 bytes',
    ])
    const many = graphOfLab({
      backend: backends['vxlan-directrouting'],
      hosts: [...hostsOf(4), hostOf(5, { address: '198.51.100.5' as Ip })],
    })
    expect(waysOf(many)).toEqual([
      'tunnel all: 4 tunnels, IPv4, UDP 8472, VXLAN VNI 1: +50 bytes',
      'route all: 6 pairs by plain routes, no outer header',
    ])
  })

  test('settings of the backend and of the NIC', () => {
    const graph = graphOfLab({
      backend: { Type: 'vxlan', VNI: 7, Port: 4789, DirectRouting: false },
      lab: { mtu: 9000 },
      hosts: hostsOf(2),
    })
    expect(graph.ways[0]!.detail).toBe('IPv4, UDP 4789, VXLAN VNI 7: +50 bytes')
    expect(graph.hosts[0]!.device).toEqual({
      name: 'flannel.7',
      lines: ['VTEP 10.244.1.0', 'MTU 8950', 'MAC 16:48:e0:d7:53:2f'],
    })
    expect(graph.hosts[0]!.nic).toEqual({ name: 'eth0', lines: ['192.168.77.1', 'MTU 9000'] })
  })

  test('a host alone has none', () => expect(graphOfLab({ hosts: hostsOf(1) }).ways).toEqual([]))
})

test('what wraps is drawn where something does', () => {
  expect(plain['vxlan-3']!.hosts[1]!.device?.name).toBe('flannel.1')
  expect(plain['udp-3']!.hosts[1]!.device?.name).toBe('BPF programs')
  expect(plain['host-gw-3']!.hosts[1]).not.toHaveProperty('device')
})

test('many pods are counted', () => {
  expect(mixed.hosts.map(({ pods, morePods }) => [pods.length, morePods])).toEqual([
    [0, 0],
    [4, 5],
    [2, 0],
  ])
})

test.each([
  ['vxlan', 'flannel.1', 'by flanneld'],
  ['udp', 'flannel0', 'TUN: flanneld wraps and unwraps'],
  ['host-gw', undefined, ''],
] as const)('%s: a host under flanneld has the device of flanneld', (backend, name, line) => {
  const hosts = hostsOf(2).map((host) => ({ ...host, control: 'flanneld' as const }))
  const { hosts: drawn, description } = graphOfLab({ backend: backends[backend], hosts })
  expect(drawn[0]!.device?.name).toBe(name)
  if (name) expect(drawn[0]!.device?.lines).toContain(line)
  expect(description).toContain('has 10.244.1.0/24, filled by flanneld.')
})
