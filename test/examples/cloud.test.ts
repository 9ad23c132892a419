/** The cloud example under Pulumi's mocks: what it asks of the providers, and what comes of their answers. */
import * as pulumi from '@pulumi/pulumi'
import { beforeAll, expect, test } from 'vitest'

interface Asked {
  readonly type: string
  readonly name: string
  readonly inputs: Readonly<Record<string, unknown>>
}

const asked: Asked[] = []
const one = (type: string, name: string) =>
  asked.find((each) => each.type === type && each.name === name)!.inputs
const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC8T'

/** What each provider would answer. */
function answer({ type, name, inputs }: Asked): Record<string, unknown> {
  const number = Number(/\d+/.exec(name)?.[0] ?? 0)
  switch (type) {
    case 'hcloud:index/server:Server':
      return { ...inputs, ipv4Address: `203.0.113.${number}`, networks: [{ ip: `10.0.1.${100 + number}` }] }
    case 'tls:index/privateKey:PrivateKey':
      return { privateKeyOpenssh: `PRIVATE KEY of ${name}`, publicKeyOpenssh: `${hostKey} ${name}\n` }
    case 'overlab:index:SshHost': {
      const { host, port, user } = inputs['access'] as Record<string, unknown>
      const isUp = number !== 3
      const target = { host, port, user, hostKey, identityFile: 'agent', become: false }
      const way = { from: '198.51.100.7', dev: 'eth0', via: '172.31.1.1' }
      return isUp
        ? { ...inputs, target, way, nic: 'enp7s0', packages: [], attempt: 0, admitted: true, problem: '' }
        : {
            ...inputs,
            target: null,
            way: null,
            nic: '',
            packages: [],
            attempt: 0,
            admitted: false,
            problem: 'web3: connect: gone',
          }
    }
    default:
      return { ...inputs }
  }
}

beforeAll(async () => {
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const each = { type, name, inputs: inputs as Asked['inputs'] }
        asked.push(each)
        return { id: name, state: answer(each) }
      },
      call: ({ inputs }) => inputs as Record<string, unknown>,
    },
    'cloud',
    'test',
  )
  pulumi.runtime.setAllConfig({ 'cloud:sshKey': 'me', 'cloud:network': '42' })
  const { addresses } = await import('../../examples/cloud/index.ts')
  await new Promise((resolve) => pulumi.all(addresses).apply(resolve))
  await pulumi.runtime.disconnect()
}, 60_000)

test('a server gets its host key beforehand, and only as a secret', () => {
  expect(JSON.stringify(one('hcloud:index/server:Server', 'web1')['userData'])).toContain(
    'PRIVATE KEY of web1-host-key',
  )
})

test("a host's addresses and key are what the providers answered", () => {
  expect(one('overlab:index:SshHost', 'cloud-web2')).toMatchObject({
    address: '10.0.1.102',
    access: { host: '203.0.113.2', user: 'root', hostKey },
    mtu: 1450,
    links: ['cni0', 'flannel.1'],
  })
})

test('the overlay is planned with them, the NICs that were found, and without the host that is not there', () => {
  const { hosts, targets, care, unfit } = one('overlab:index:DataPlane', 'cloud') as Record<
    string,
    Record<string, Record<string, Record<string, string>>>
  >
  expect(Object.keys(hosts!)).toEqual(['web1', 'web2'])
  expect(hosts!['web1']!['links']!['flannel.1']).toContain('dev enp7s0 local 10.0.1.101')
  expect(Object.values(hosts!['web1']!['fdb']!)).toEqual(['dst 10.0.1.102', 'dst 10.0.1.103'])
  expect(targets!['web2']).toMatchObject({ host: '203.0.113.2', hostKey })
  expect(care!['web1']).toMatchObject({ confirm: 30, way: { from: '198.51.100.7', via: '172.31.1.1' } })
  expect(unfit).toEqual({ web3: 'web3: connect: gone' })
})

test('no machine and no underlay of this computer is asked for', () => {
  const types = new Set(asked.map(({ type }) => type))
  expect(types).not.toContain('overlab:index:Machine')
  expect(types).not.toContain('overlab:index:Underlay')
})
