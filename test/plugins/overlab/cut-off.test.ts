/** A data plane that would cut the way to a host is refused by Pulumi's Check, before any host is asked. */
import { expect, test } from 'vitest'
import { dataPlane } from '../../../plugins/overlab/data-plane.ts'
import type { Values } from '../../../plugins/server/values.ts'
import type { Pool } from '../../../remote/pool.ts'

const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC8T'
const unasked = new Proxy({}, { get: () => expect.unreachable('a host was asked') }) as Pool

const news = (from: string) => ({
  targets: {
    web1: { host: '192.168.1.11', port: 22, user: 'ops', hostKey, identityFile: 'agent', become: true },
  },
  facts: { web1: { nic: 'eth0', iptables: 'auto' } },
  hosts: { web1: { routes: { '10.244.2.0/24': 'via 10.244.2.0 dev flannel.1 onlink' } } },
  care: { web1: { owner: 'lab rack', confirm: 30, way: { from, dev: 'eth0', via: '192.168.1.1' } } },
})

const failuresOf = async (values: object) =>
  (await dataPlane(unasked).check({}, values as Values, {} as never)).failures ?? []

test('the error names the row', async () => {
  expect(await failuresOf(news('10.244.2.9'))).toEqual([
    {
      property: 'hosts.web1.routes["10.244.2.0/24"]',
      reason:
        'covers 10.244.2.9, from which overlab reaches the host: it would cut the way to web1; choose another Network or subnet, or reach the host from another address',
    },
  ])
})

test('any other address is fine', async () => {
  expect(await failuresOf(news('10.245.2.9'))).toEqual([])
})

test('a host that is unfit needs no target', async () => {
  const { targets: _, facts: __, care: ___, ...rest } = news('10.245.2.9')
  expect(await failuresOf({ ...rest, targets: {}, facts: {}, hosts: {}, unfit: { web1: 'gone' } })).toEqual(
    [],
  )
})
