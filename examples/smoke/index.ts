/** A lab of two machines, and then an act of one's own on it: a ping from pod to pod, through the overlay. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { remote } from '@pulumi/command'
import { secret } from '@pulumi/pulumi'
import { loadInventory } from '../../inventory/load.ts'
import { Lab, Overlay } from '../../resources/index.ts'

const inventory = loadInventory(fileURLToPath(new URL('inventory.yaml', import.meta.url)))
const { name } = inventory.lab
const [from, to] = inventory.hosts
const [sender, answerer] = [from?.pods[0], to?.pods[0]]
if (!from || !sender || !answerer) throw new Error('the lab needs two hosts with a pod each')

const lab = new Lab(name, { inventory })
const overlay = new Overlay(name, { lab })

const machine = lab.machines[from.name]!
const ping = new remote.Command(
  'ping',
  {
    connection: {
      host: machine.address,
      port: machine.port,
      user: machine.user,
      // What connects pins the key that the machine was given.
      hostKey: machine.hostKey,
      privateKey: secret(lab.underlay.identityFile.apply((file) => readFileSync(file, 'utf8'))),
    },
    create: `ip netns exec ${sender.name} ping -q -c 3 ${answerer.address}`,
    triggers: [inventory.lab.overlay.Backend.Type],
  },
  // After the overlay; and nothing has to be undone on a machine that goes with its lab.
  { dependsOn: overlay.dataPlane, deletedWith: lab.underlay },
)

export const result = ping.stdout
