/**
 * What the last look at a lab's hosts found of what plans depend on, as this computer remembers it between its
 * commands: a verb that plans without asking anybody plans what is there.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Host } from '../inventory/inventory.ts'
import { parseJson } from '../inventory/json.ts'
import { cidr, ifName, ip, type Name } from '../inventory/values.ts'

/** What a look at a host that exists found. */
const place = z.object({
  address: ip,
  /** The NIC that carries the underlay, where one was found. */
  nic: ifName.optional(),
  /** What that NIC reaches without a router. */
  onLink: z.array(cidr).readonly().nullish(),
  /** systemd runs there, and can restore a data plane at boot. */
  systemd: z.boolean(),
})

const found = z.object({
  /** Its kernel has fou and ipip. */
  fou: z.boolean(),
  /** Of a host that exists. */
  place: place.exactOptional(),
})

export type Found = Readonly<z.output<typeof found>>
export type Place = Readonly<z.output<typeof place>>

/** The host as it is, rather than as the inventory takes it to be. */
export function placed(host: Host, { address, nic, onLink, systemd }: Place): Host {
  const { persist, ...rest } = host
  return {
    ...rest,
    address,
    ...(nic && { nic }),
    ...(onLink && { onLink }),
    ...(persist && systemd && { persist }),
  }
}

const folder = fileURLToPath(new URL('../.overlab/found', import.meta.url))

export function recordFound(lab: Name, host: Name, what: Found): void {
  const file = fileOf(lab, host)
  mkdirSync(join(folder, lab), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, JSON.stringify(what))
  renameSync(`${file}.new`, file)
}

export function forgetFound(lab: Name, host: Name): void {
  rmSync(fileOf(lab, host), { force: true })
  try {
    rmdirSync(join(folder, lab))
  } catch {
    // The last one takes the folder along.
  }
}

/** Of all hosts of a lab that goes as by a power cut: nobody deletes its resources one by one. */
export function forgetLab(lab: Name): void {
  rmSync(join(folder, lab), { recursive: true, force: true })
}

/** By the host's name; hosts that nobody has looked at are missing. */
export function readFound(lab: Name): Readonly<Record<Name, Found>> {
  let files: string[] = []
  try {
    files = readdirSync(join(folder, lab)).filter((file) => file.endsWith('.json'))
  } catch {
    // Nobody has looked yet.
  }
  return Object.fromEntries(
    files.flatMap((file) => {
      try {
        return [
          [
            file.slice(0, -'.json'.length),
            parseJson(found, readFileSync(join(folder, lab, file), 'utf8'), file),
          ],
        ]
      } catch {
        // It went in this moment, or was cut: as if nobody had looked.
        return []
      }
    }),
  )
}

function fileOf(lab: Name, host: Name): string {
  return join(folder, lab, `${host}.json`)
}
