/** A change that nobody confirms, on a real kernel: it is undone by its timer, also while it still runs. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { departure } from '../../modules/care.ts'
import type { HostState } from '../../modules/state.ts'
import { kernel, type Kernel } from '../support/kernel.ts'

let machine: Kernel
beforeAll(async () => {
  machine = await kernel()
  await machine.sh('ip link add eth0 type veth peer name far0; ip link set eth0 up; ip link set far0 up')
})
afterAll(() => machine?.close())

it('ends a change that goes on without its controller, and undoes what it did so far', async () => {
  const held: HostState = { routes: {} }
  const desired: HostState = { routes: { '10.244.2.0/24': 'dev eth0', '10.244.3.0/24': 'dev eth0' } }
  const before = departure({ owner: 'a test', confirm: 1 }, [], held, {
    desired,
    prior: {},
    facts: { nic: 'eth0', iptables: 'auto' },
  })
  const outcome = await machine.run(`${before}
    ip route add 10.244.2.0/24 dev eth0 proto 79
    sh -c 'until [ -e /run/overlab-host/undone ]; do sleep 0.1; done; sleep 0.2; ip route add 10.244.3.0/24 dev eth0 proto 79'
    ip route add 10.244.3.0/24 dev eth0 proto 79
    echo the change came to its end`)
  expect(outcome.stdout).not.toContain('the change came to its end')
  await machine.sh('until [ -e /run/overlab-host/undone ]; do sleep 0.1; done; sleep 0.5')
  expect(await machine.sh('ip route')).toBe('')
  expect((await machine.sh('ls -x /run/overlab-host')).split(/\s+/)).toEqual(
    expect.arrayContaining(['owner', 'undone']),
  )
})
