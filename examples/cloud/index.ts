/**
 * Servers of a cloud provider with an overlay between them. Each server gets an SSH host key that was made beforehand,
 * so that its key is known before it is ever reached: nothing is taken on trust.
 */
import { Config, interpolate, secret } from '@pulumi/pulumi'
import { loadInventory } from '../../inventory/load.ts'
import { Lab, Overlay } from '../../resources/index.ts'
import { PrivateKey, Server } from './provider.ts'

const config = new Config()
const inventory = loadInventory(new URL('inventory.yaml', import.meta.url).pathname, { standIns: true })

const servers = Object.fromEntries(
  inventory.hosts.map(({ name }) => {
    const hostKey = new PrivateKey(`${name}-host-key`)
    const server = new Server(name, {
      serverType: 'cx22',
      image: 'debian-12',
      sshKeys: [config.require('sshKey')],
      // The provider picks the address in the private network; the overlay takes the one it picked.
      networks: [{ networkId: config.requireNumber('network') }],
      userData: secret(interpolate`#cloud-config
ssh_deletekeys: true
ssh_keys:
  ed25519_private: ${hostKey.privateKeyOpenssh.apply((key) => JSON.stringify(key))}
  ed25519_public: ${hostKey.publicKeyOpenssh.apply((key) => JSON.stringify(key.trim()))}
`),
    })
    return [name, { server, hostKey }]
  }),
)

const lab = new Lab(inventory.lab.name, {
  inventory,
  hosts: Object.fromEntries(
    Object.entries(servers).map(([name, { server, hostKey }]) => [
      name,
      {
        // The private network carries the overlay; SSH goes by the public address.
        address: server.networks.apply(([network]) => network!.ip),
        sshHost: server.ipv4Address,
        sshHostKey: hostKey.publicKeyOpenssh,
      },
    ]),
  ),
})
new Overlay(inventory.lab.name, { lab })

export const addresses = Object.fromEntries(
  Object.entries(servers).map(([name, { server }]) => [name, server.ipv4Address]),
)
