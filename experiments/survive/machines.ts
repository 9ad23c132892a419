/** Faults of whole machines: one reboots, one joins. */
import { setTimeout as sleep } from 'node:timers/promises'
import { podStreams, underLoad } from '../load.ts'
import { powerOf } from '../power.ts'
import type { Fault } from './fault.ts'
import { machineOf, rolesOf } from './lab.ts'

/** Time for an answer, after pulumi up; ms. */
const settleMs = 1000

export const machineFaults: readonly Fault[] = [
  {
    id: 'reboot',
    title: 'a host reboots',
    what: 'The last host loses power and boots again, on the files that it had. Nothing on it starts flanneld or makes pods but pulumi up.',
    lesson:
      "All of it was in the kernel's memory. Here nothing is started at boot: on a cluster systemd and the kubelet would start flanneld and make the pods anew. flanneld's VXLAN device would then have another MAC, and the peers' entries would be wrong until they hear of it; overlab's MAC comes from the host's name, and stays.",
    notApplicable: (lab) =>
      machineOf(lab) === 'namespace'
        ? undefined
        : 'only machines that overlab made as namespaces are rebooted',
    strike: {
      async act(lab) {
        const power = powerOf(lab, rolesOf(lab.plan).victim.name)
        await power.cut()
        await power.on()
        return undefined
      },
    },
  },
  {
    id: 'host-joins',
    title: 'a new host joins',
    what: 'The lab begins without its last host; pulumi up brings it. Lost packets are those between the hosts that were there before.',
    lesson:
      "Every host needs its entries for the new one: flanneld hears of it from etcd, overlab pushes them. The others' entries are not touched, so nobody else loses a packet.",
    notApplicable: ({ resize, inventory }) =>
      !resize
        ? 'it changes the inventory, which is yours; it is measured in a lab of its own, without --here'
        : inventory.hosts.length < 3
          ? 'it takes three hosts: two that talk, and one that joins'
          : undefined,
    strike: {
      begins: ({ hosts }) => hosts.slice(0, -1),
      async act(lab) {
        const { plan, session } = lab
        const newcomer = Object.keys(plan.hosts).at(-1)!
        const streams = podStreams(plan).filter(
          ({ from, to }) => from.host !== newcomer && to.host === newcomer,
        )
        const { losses } = await underLoad(session, streams, async () => {
          await lab.up()
          await sleep(settleMs)
        })
        const reached = losses.map((loss) =>
          'notMeasured' in loss || loss.silentMs > settleMs ? Infinity : loss.outageMs,
        )
        const last = Math.max(...reached)
        return Number.isFinite(last)
          ? `${newcomer} answered ${(last / 1000).toFixed(1)} s after pulumi up began, with the machine's boot`
          : `${newcomer} did not answer`
      },
    },
  },
]
