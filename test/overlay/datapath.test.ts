import { describe, expect, test } from 'vitest'
import type { Host } from '../../inventory/inventory.ts'
import type { Name } from '../../inventory/values.ts'
import { datapathOf, mustAsk } from '../../overlay/datapath.ts'
import { planLab } from '../../overlay/plan.ts'
import { backends, hostOf, hostsOf, inventoryOf } from '../support/inventory.ts'

const node1 = 'node1' as Name
const host = (machine: string, datapath?: Host['datapath']) =>
  hostOf(1, { machine: machine as Host['machine'], ...(datapath && { datapath }) })

describe('which datapath', () => {
  test.each([
    [host('namespace'), {}, 'bpf', /this computer's kernel/],
    [host('namespace'), { [node1]: true }, 'bpf', /this computer's kernel/],
    [host('namespace', 'fou'), {}, 'fou', /inventory/],
    [host('qemu'), { [node1]: true }, 'fou', /its kernel has fou/],
    [host('qemu'), { [node1]: false }, 'bpf', /no fou/],
    [host('ssh'), {}, 'fou', /up asks/],
    [host('ssh', 'bpf'), { [node1]: true }, 'bpf', /inventory/],
  ] as const)('%# ', (given, kernels, datapath, why) => {
    expect(datapathOf(given, kernels)).toEqual({ datapath, why: expect.stringMatching(why) as string })
  })

  test('a kernel is asked where its answer counts', () => {
    expect(mustAsk(host('qemu'))).toBe(true)
    expect(mustAsk(host('qemu', 'fou'))).toBe(false)
    expect(mustAsk(host('namespace'))).toBe(false)
    expect(mustAsk({ ...host('ssh'), control: 'flanneld' })).toBe(false)
  })

  test('is said of a planned host where the backend has one', () => {
    expect(
      planLab(inventoryOf({ backend: backends.udp, hosts: hostsOf(1) })).hosts['node1']!.datapath?.datapath,
    ).toBe('bpf')
    expect(planLab(inventoryOf({ hosts: hostsOf(1) })).hosts['node1']!.datapath).toBeUndefined()
  })
})
