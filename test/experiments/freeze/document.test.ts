/** The frozen inventory as a text: what is added, what goes, and that comments stay. */
import { describe, expect, test } from 'vitest'
import { frozenText, type Frame } from '../../../experiments/freeze/document.ts'
import { parseInventory } from '../../../inventory/load.ts'

const heading = ['Written by overlab freeze', 'second line']
const frame: Frame = { heading, overrides: {}, pins: {} }

const lab = `# the lab
lab:
  name: lab
  underlay: 192.168.77.0/24 # joins the machines
  control: flanneld
  overlay:
    Network: 10.244.0.0/16 # the pods
    Backend: { Type: vxlan, VNI: 7 }

all:
  hosts:
    node[1:3]: # ranges
    web1: { control: flanneld, number: 9 }
    db1: { control: static, number: 10 }
  vars:
    pods: 2 # two each
  children:
    more:
      hosts:
        node9: { number: 19 }
      vars: { control: flanneld }
`

function hostsOf(text: string) {
  return parseInventory(text, 'lab.yaml').hosts
}

test('only what is needed is another', () => {
  const pins = {
    node2: { subnet: '10.244.77.0/24', vtep_mac: '02:00:00:00:00:09' },
    node9: { subnet: '10.244.78.0/24' },
  }
  const text = frozenText(lab, { ...frame, pins })
  expect(text).toMatchInlineSnapshot(`
    "# Written by overlab freeze
    # second line
    # the lab
    lab:
      name: lab
      underlay: 192.168.77.0/24 # joins the machines
      control: static
      overlay:
        Network: 10.244.0.0/16 # the pods
        Backend: { Type: vxlan, VNI: 7 }

    all:
      hosts:
        node[1:3]: # ranges
        web1: { number: 9 }
        db1: { control: static, number: 10 }
        node2:
          subnet: 10.244.77.0/24
          vtep_mac: 02:00:00:00:00:09
      vars:
        pods: 2 # two each
      children:
        more:
          hosts:
            node9: { number: 19, subnet: 10.244.78.0/24 }
          vars: {}
    "
  `)
  expect(hostsOf(text).map(({ name, control, subnet, vtepMac }) => [name, control, subnet, vtepMac])).toEqual(
    [
      ['node1', 'static', '10.244.1.0/24', undefined],
      ['node2', 'static', '10.244.77.0/24', '02:00:00:00:00:09'],
      ['node3', 'static', '10.244.3.0/24', undefined],
      ['web1', 'static', '10.244.9.0/24', undefined],
      ['db1', 'static', '10.244.10.0/24', undefined],
      ['node9', 'static', '10.244.78.0/24', undefined],
    ],
  )
})

test("a pin goes where the host's own variable stands", () => {
  const own = lab.replace(
    'node[1:3]: # ranges',
    'node[1:3]:\n    node2: { subnet: 10.244.50.0/24 } # its own',
  )
  const text = frozenText(own, { ...frame, pins: { node2: { subnet: '10.244.51.0/24' } } })
  expect(text).toContain('node2: { subnet: 10.244.51.0/24 } # its own')
  expect(hostsOf(text)[1]!.subnet).toBe('10.244.51.0/24')
})

test("the stack's own changes become the file's", () => {
  const overrides = { lab: 'other', mtu: 1400, backend: 'host-gw', control: 'flanneld' }
  const { lab: own } = parseInventory(frozenText(lab, { ...frame, overrides }), 'lab.yaml')
  expect(own).toMatchObject({ name: 'other', mtu: 1400, overlay: { Backend: { Type: 'host-gw' } } })
})

describe('freezing what was frozen', () => {
  test('gives the same text', () => {
    const once = frozenText(lab, frame)
    expect(frozenText(once, { ...frame, heading: ['Written by overlab freeze of another file'] })).toBe(once)
  })

  test('and a stack that says flanneld has it all again, but for the hosts that were static before', () => {
    const { hosts } = parseInventory(frozenText(lab, frame), 'lab.yaml', { control: 'flanneld' })
    expect(hosts.filter(({ control }) => control === 'static').map(({ name }) => name)).toEqual(['db1'])
  })
})
