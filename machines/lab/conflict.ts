/** What is in the way of a new underlay. Pure: what is there comes in as values. */
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { cidr, ip, type Cidr } from '../../inventory/values.ts'
import type { UnderlaySpec } from '../machine.ts'

/** The file `owner` of a lab that is up. */
export const labRecord = z.object({
  lab: z.string(),
  owner: z.string(),
  cidr: cidr.transform(String),
  mtu: z.int(),
  controller: ip.transform(String),
  link: z.string(),
})
export type LabRecord = Readonly<z.output<typeof labRecord>>

/** `ip -4 -j address`, the fields that matter here; some versions print an empty object for a link without any. */
export const linkAddresses = z.object({
  ifname: z.string().default(''),
  addr_info: z
    .array(
      z.object({
        local: ip.transform(String).exactOptional(),
        prefixlen: z.int().min(0).max(32).exactOptional(),
      }),
    )
    .default([]),
})
export type LinkAddresses = z.output<typeof linkAddresses>

/** `ip -4 -j route show table all`, the fields that matter here. */
export const kernelRoute = z.object({
  dst: z.string(),
  dev: z.string().exactOptional(),
  gateway: z.string().exactOptional(),
  type: z.string().exactOptional(),
})
export type KernelRoute = Readonly<z.output<typeof kernelRoute>>

export interface Surroundings {
  readonly labs: readonly LabRecord[]
  readonly addresses: readonly LinkAddresses[]
  readonly routes: readonly KernelRoute[]
  /** Alias of the link that has the name of this lab's controller link; empty where there is none. */
  readonly alias: string
}

export interface Conflict {
  readonly why: string
  readonly hint: string
}

/** Undefined where nothing is in the way; the first thing that is, else. */
export function findConflict(spec: UnderlaySpec, link: string, around: Surroundings): Conflict | undefined {
  const own = around.labs.find(({ lab }) => lab === spec.lab)
  if (own && own.owner !== spec.owner) {
    return {
      why: `the lab belongs to ${own.owner}, not to ${spec.owner}`,
      hint: 'give this lab another name, or destroy the other one from where it was made',
    }
  }
  if (own && (own.cidr !== spec.cidr || own.mtu !== spec.mtu)) {
    return {
      why: `the lab is up with the underlay ${own.cidr} (MTU ${own.mtu}), not ${spec.cidr} (MTU ${spec.mtu})`,
      hint: 'destroy it first; its machines can not move to another underlay',
    }
  }
  if (!own && around.alias !== '' && around.alias !== `overlab ${spec.lab}`) {
    return {
      why: `this machine has a link ${link} that overlab did not make for this lab`,
      hint: 'give the lab another name, or the link',
    }
  }
  const taken = takenBy(spec, link, around)
  const other = taken.find(({ cidr }) => overlap(cidr, spec.cidr))
  if (!other) return undefined
  return {
    why: `the underlay ${spec.cidr} overlaps ${other.what}`,
    hint: `pick another one; ${freeNetwork(taken.map(({ cidr }) => cidr)) ?? 'no /24 of 192.168.0.0/16'} is free`,
  }
}

interface Taken {
  readonly cidr: string
  readonly what: string
}

function takenBy(
  spec: { readonly lab: string | undefined },
  link: string,
  around: Omit<Surroundings, 'alias'>,
): Taken[] {
  const labs = around.labs.filter(({ lab }) => lab !== spec.lab)
  const ofLabs = new Set([link, ...labs.map((lab) => lab.link)])
  const addresses = around.addresses
    .filter(({ ifname }) => !ofLabs.has(ifname))
    .flatMap(({ ifname, addr_info }) =>
      addr_info.flatMap(({ local, prefixlen }) =>
        local === undefined
          ? []
          : {
              cidr: `${local}/${prefixlen ?? 32}`,
              what: `this machine's address ${local}/${prefixlen ?? 32} on ${ifname}`,
            },
      ),
    )
  const routes = around.routes
    .filter(
      ({ dst, dev, type }) =>
        !isDefault(dst) && !ofLabs.has(dev ?? '') && type !== 'broadcast' && type !== 'multicast',
    )
    .map((route) => ({
      cidr: route.dst.includes('/') ? route.dst : `${route.dst}/32`,
      what: `this machine's route to ${route.dst}${route.gateway ? ` via ${route.gateway}` : ''}${route.dev ? ` dev ${route.dev}` : ''}`,
    }))
  return [
    ...labs.map(({ lab, cidr, owner }) => ({
      cidr,
      what: `the underlay ${cidr} of the lab ${lab}, which is up (${owner})`,
    })),
    ...addresses,
    ...routes,
  ]
}

/** Defaults, and the halves of everything that VPNs use for one. */
function isDefault(dst: string): boolean {
  return ['default', '0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1'].includes(dst)
}

function overlap(a: string, b: string): boolean {
  const [first, firstLength] = ipaddr.IPv4.parseCIDR(a)
  const [second, secondLength] = ipaddr.IPv4.parseCIDR(b)
  return first.match(second, Math.min(firstLength, secondLength))
}

/** The networks that the labs, addresses and routes of this machine have. */
export function takenNetworks(around: Omit<Surroundings, 'alias'>): string[] {
  return takenBy({ lab: undefined }, '', around).map(({ cidr }) => cidr)
}

/** A /24 that overlaps none of these; the first candidate from the `start`-th on. */
export function freeNetwork(taken: readonly string[], start = 0): Cidr | undefined {
  const candidates = [
    ...Array.from({ length: 178 }, (_, index) => `192.168.${77 + index}.0/24`),
    ...Array.from({ length: 256 }, (_, index) => `172.31.${index}.0/24`),
  ] as Cidr[]
  const first = start % candidates.length
  return [...candidates.slice(first), ...candidates.slice(0, first)].find(
    (candidate) => !taken.some((cidr) => overlap(cidr, candidate)),
  )
}
