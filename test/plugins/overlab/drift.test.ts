import { describe, expect, it } from 'vitest'
import { driftLines } from '../../../plugins/overlab/drift.ts'

const known = {
  node1: {
    routes: { '10.244.2.0/24': 'via 10.244.2.0 dev flannel.1 onlink' },
    sysctls: { 'net/ipv4/ip_forward': '1' },
  },
  node2: { fdb: { '72:55:50:87:cf:a2 dev flannel.1': 'dst 192.168.77.1' } },
}

describe('driftLines', () => {
  it('says nothing where nothing drifted', () => {
    expect(driftLines(known, structuredClone(known))).toEqual([])
  })

  it('says what is gone, changed and added, and where', () => {
    const held = {
      node1: {
        routes: { '10.244.2.0/24': 'via 192.168.77.2 dev eth0', '10.9.0.0/16': 'dev eth0 scope link' },
        sysctls: { 'net/ipv4/ip_forward': '1' },
      },
      node2: {},
    }
    expect(driftLines(known, held)).toEqual([
      'node1: routes["10.244.2.0/24"] was changed: via 10.244.2.0 dev flannel.1 onlink -> via 192.168.77.2 dev eth0',
      'node1: routes["10.9.0.0/16"] was added: dev eth0 scope link',
      'node2: fdb["72:55:50:87:cf:a2 dev flannel.1"] is gone: dst 192.168.77.1',
    ])
  })

  it('says nothing of a host that could not be read', () => {
    expect(driftLines(known, { node1: known.node1 })).toEqual([])
  })

  it('ends after 50 lines with how many more there are', () => {
    const routes = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`10.244.${n}.0/24`, 'dev eth0']))
    const lines = driftLines({ node1: { routes } }, { node1: {} })
    expect(lines).toHaveLength(51)
    expect(lines.at(-2)).toBe('node1: routes["10.244.49.0/24"] is gone: dev eth0')
    expect(lines.at(-1)).toBe('... and 10 more objects')
    expect(
      driftLines({ node1: { routes: { ...routes, '10.244.1.0/24': 'x' } } }, { node1: { routes } }),
    ).toHaveLength(1)
  })
})
