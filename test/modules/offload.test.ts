import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { offloadModule as module } from '../../modules/offload.ts'
import { apply, current, kernel, scope, type Kernel } from '../support/kernel.ts'

describe('rows', () => {
  it('are tx on or tx off', () => {
    expect(module.row.parse({ key: 'eth0', line: ' tx  off ' })).toBe('tx off')
    for (const row of [
      { key: 'eth0', line: 'rx off' },
      { key: 'eth0; reboot', line: 'tx off' },
      { key: 'a name that is too long', line: 'tx off' },
    ])
      expect(module.row.safeParse(row).success).toBe(false)
  })
})

describe('in a kernel', () => {
  let machine: Kernel
  beforeAll(async () => {
    machine = await kernel()
    await machine.sh('ip link add eth0 type veth peer name far0')
  })
  afterAll(() => machine?.close())
  const feature = () => machine.sh('ethtool -k eth0 | grep ^tx-checksumming')

  it('is switched off once, read back, and switched on when no longer wanted', async () => {
    const off = { eth0: 'tx off' }
    expect(await current(machine, module, scope(off))).toEqual({ eth0: 'tx on' })
    expect(await apply(machine, module, scope(off))).toHaveLength(1)
    expect(await feature()).toContain(': off')
    expect(await apply(machine, module, scope(off, off))).toEqual([])
    expect(await apply(machine, module, scope({}, off))).toHaveLength(1)
    expect(await feature()).toContain(': on')
    expect(await apply(machine, module, scope({}, off))).toEqual([])
  })

  it('that somebody else switched is left alone', async () => {
    await machine.sh('ethtool -K eth0 tx off')
    expect(await apply(machine, module, scope({}, {}))).toEqual([])
    expect(await feature()).toContain(': off')
  })

  it('of a NIC that is not there is no setting, and giving it one fails', async () => {
    const wanted = scope({ eth7: 'tx off' })
    expect(await current(machine, module, wanted)).toEqual({})
    await expect(apply(machine, module, wanted)).rejects.toThrow('eth7')
  })
})
