/** What a Pulumi program imports from overlab. */
export { DataPlane, type DataPlaneArgs, type TargetArgs } from './data-plane.ts'
export { Lab, type LabArgs } from './lab.ts'
export { Machine, type MachineArgs } from './machine.ts'
export { Overlay, type OverlayArgs } from './overlay.ts'
export { Underlay, type UnderlayArgs } from './underlay.ts'
