/**
 * The underlay of a lab on this computer: a bridge in a network namespace of its own, joined to the controller. The
 * scripts in `lab/` do the work as root, and read from top to bottom.
 */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseAnswer, parseJson } from '../inventory/json.ts'
import { lastOf, toBlock, toIp, toNumber } from '../inventory/ipv4.ts'
import { cidr, ip, name as nameSchema } from '../inventory/values.ts'
import type { Cidr, Ip, Name } from '../inventory/values.ts'
import { HostError } from '../remote/errors.ts'
import { findConflict, kernelRoute, labRecord, linkAddresses } from './lab/conflict.ts'
import type { LabRecord, Surroundings } from './lab/conflict.ts'
import { controllerLink, identityFile, labFolder, sharedFolder, sharedOnMachines } from './lab/paths.ts'
import { isMounted, readLab } from './lab/records.ts'
import { runScript } from './lab/script.ts'
import type { Network, Underlay, UnderlaySpec } from './machine.ts'
import { labUser } from './privilege.ts'

export const network: Network = { createUnderlay, readUnderlay, deleteUnderlay, share, readShared, unshare }

async function createUnderlay(spec: UnderlaySpec): Promise<Underlay> {
  nameSchema.parse(spec.lab)
  const link = controllerLink(spec.lab)
  const { controller, prefix } = controllerOf(cidr.parse(spec.cidr))
  const place = { host: `lab ${spec.lab}`, step: 'create underlay' }
  const record: LabRecord = {
    lab: spec.lab,
    owner: spec.owner,
    cidr: spec.cidr,
    mtu: spec.mtu,
    controller,
    link,
  }
  const args = [
    spec.lab,
    link,
    controller,
    String(prefix),
    String(spec.mtu),
    String(labUser()),
    JSON.stringify(record),
    String(toNumber(controller)),
  ]
  await runScript(place, 'lab/underlay-up.sh', args, (printed) => {
    const conflict = findConflict(spec, link, parseSurroundings(printed))
    if (conflict) throw new HostError({ ...place, ...conflict })
    return 'go'
  })
  return { controller, identityFile: identityFile(spec.lab) }
}

async function readUnderlay(lab: Name): Promise<Underlay | undefined> {
  const record = await readLab(lab)
  const folder = labFolder(lab)
  if (
    !record ||
    !(await exists(join(folder, 'ready'))) ||
    !(await exists(`/proc/sys/net/ipv4/conf/${record.link}`))
  )
    return undefined
  if (!(await isMounted(join(folder, 'underlay')))) return undefined
  return { controller: ip.parse(record.controller), identityFile: identityFile(lab) }
}

async function deleteUnderlay(lab: Name): Promise<void> {
  nameSchema.parse(lab)
  await runScript({ host: `lab ${lab}`, step: 'delete underlay' }, 'lab/underlay-down.sh', [
    lab,
    controllerLink(lab),
  ])
}

async function share(lab: Name, file: string, source: string): Promise<string> {
  await shareScript(lab, file, source)
  return join(sharedOnMachines, file)
}

async function readShared(lab: Name, file: string): Promise<string | undefined> {
  return (await exists(join(sharedFolder(lab), file))) ? join(sharedOnMachines, file) : undefined
}

async function unshare(lab: Name, file: string): Promise<void> {
  await shareScript(lab, file, '')
}

async function shareScript(lab: Name, file: string, source: string): Promise<void> {
  nameSchema.parse(lab)
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(file)) throw new Error(`${file} is not a file name`)
  await runScript({ host: `lab ${lab}`, step: 'share file', object: file }, 'lab/share.sh', [
    lab,
    file,
    source,
  ])
}

/** The controller's address in an underlay, its last usable one, and the prefix's length. */
export function controllerOf(underlay: Cidr): { controller: Ip; prefix: number } {
  const block = toBlock(underlay)
  return { controller: toIp(lastOf(block) - 1), prefix: block.length }
}

/** What underlay-up.sh prints: labs, a line each, `--`, addresses, routes, the controller's link. */
function parseSurroundings(printed: string): Surroundings {
  const lines = printed.split('\n')
  const end = lines.indexOf('--')
  const [addresses = '[]', routes = '[]', link = '[]'] = lines.slice(end + 1)
  return {
    labs: lines.slice(0, end).map((line) => parseJson(labRecord, line, "a lab's file owner")),
    addresses: parseAnswer(z.array(linkAddresses), addresses, '`ip -4 -j address`'),
    routes: parseAnswer(z.array(kernelRoute), routes, '`ip -4 -j route`'),
    alias: parseAnswer(z.array(z.object({ ifalias: z.string().default('') })), link, '`ip -j link`')
      .map(({ ifalias }) => ifalias)
      .join(),
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
