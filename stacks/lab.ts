/** The lab of the selected stack: machines first, then what makes their pods reach each other. */
import { Lab, Overlay } from '../resources/index.ts'
import { stackInventory } from './settings.ts'

const inventory = stackInventory()
const { name, overlay } = inventory.lab

const lab = new Lab(name, { inventory })
new Overlay(name, { lab })

export const backend = overlay.Backend.Type
export const network = overlay.Network
export const machines = Object.fromEntries(inventory.hosts.map((host) => [host.name, host.address]))
export const pods = Object.fromEntries(
  inventory.hosts.flatMap((host) => host.pods.map((pod) => [pod.name, pod.address])),
)
export const next = 'npx overlab ping'
