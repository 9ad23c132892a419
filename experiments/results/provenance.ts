/** Where a result comes from: what a reader needs to judge it, and to repeat it. No environment variable, no key, no path of the user's. */
import * as z from 'zod'

export const provenance = z.strictObject({
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  /** The words after `./overlab`. */
  command: z.array(z.string()),
  /** `uname -r` of the controller; namespace machines share it. */
  kernel: z.string(),
  cpu: z.string(),
  cores: z.int().positive(),
  /** Bytes. */
  memory: z.int().positive(),
  /** One-minute load at the start and the end: what else ran on the machine shows in it. */
  load: z.tuple([z.number(), z.number()]),
  /** By program: overlab, node, pulumi, iproute2, iputils, iperf3, flanneld, etcd, ... */
  versions: z.record(z.string(), z.string()),
  /** By variant the segmentation and checksum offloads of a machine's NIC and overlay device, as `ethtool -k` names them. */
  offloads: z.record(z.string(), z.record(z.string(), z.boolean())),
  /** The machines' driver, and how many of what were measured. */
  machines: z.strictObject({ driver: z.string(), hosts: z.int(), pods: z.int() }),
})

export type Provenance = z.infer<typeof provenance>
