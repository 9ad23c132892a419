/** A data plane that would cut the way to a host is unfit by Pulumi's Check, before any host is asked, and stops no other. */
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

test('such a host is unfit, with the row named; the others get their data plane', async () => {
  const one = news('10.244.2.9')
  const both = Object.fromEntries(
    Object.entries({ ...one, care: undefined }).map(([table, { web1 } = {} as never]) => [
      table,
      { web1, web2: web1 },
    ]),
  )
  const { way } = one.care.web1
  const care = { web1: one.care.web1, web2: { ...one.care.web1, way: { ...way, from: '10.245.2.9' } } }
  const { inputs, failures } = await dataPlane(unasked).check({}, { ...both, care }, {} as never)
  expect(failures ?? []).toEqual([])
  expect(inputs['unfit']).toEqual({
    web1: 'web1: check: routes["10.244.2.0/24"] covers 10.244.2.9, from which overlab reaches the host: it would cut the way to web1, so nothing was changed there; choose another Network or subnet, or reach the host from another address',
  })
  for (const table of ['targets', 'facts', 'hosts', 'care'])
    expect(Object.keys(inputs[table] as object)).toEqual(['web2'])
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
