/** The lab of the selected stack: machines first, then what makes their pods reach each other. */
import { getStack } from '@pulumi/pulumi'
import { ControlPlane, Lab, Overlay } from '../resources/index.ts'
import { flanneldBinary } from '../tools/flanneld-binary.ts'
import { stackInventory } from './settings.ts'

const inventory = stackInventory()
const { name, overlay } = inventory.lab

const lab = new Lab(name, { inventory })
const dataPlane = new Overlay(name, { lab })
if (inventory.hosts.some(({ control }) => control === 'flanneld'))
  new ControlPlane(name, { lab, overlay: dataPlane, flanneld: flanneldBinary() })

export const backend = overlay.Backend.Type
export const network = overlay.Network
export const machines = Object.fromEntries(inventory.hosts.map((host) => [host.name, host.address]))
export const pods = Object.fromEntries(
  inventory.hosts.flatMap((host) => host.pods.map((pod) => [pod.name, pod.address])),
)
/** It names its stack always: what a stack puts out must not change by what is selected, or by how it was called. */
export const next = `./overlab ping --stack ${getStack()}`
