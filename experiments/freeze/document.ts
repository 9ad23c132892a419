/** The inventory's text with `control: static` and what the network has otherwise than planned. Comments stay. Pure. */
import { isMap, isScalar, parseDocument, type Document, type YAMLMap } from 'yaml'
import { z } from 'zod'
import { groupHosts } from '../../inventory/groups.ts'
import type { Control } from '../../inventory/inventory.ts'
import type { Path } from '../../inventory/mistakes.ts'
import { override, type LabOverrides } from '../../inventory/overrides.ts'
import { valueAt } from '../../inventory/structure.ts'

/** What an inventory must say of a host so that its plan is what the kernels hold. */
export interface Pins {
  readonly subnet?: string
  readonly vtep_mac?: string
}

/** How a frozen inventory begins. */
export const signature = 'Written by overlab freeze'

export interface Frame {
  /** Lines of the comment at the top, `signature` first; an inventory that was frozen before keeps its own. */
  readonly heading: readonly string[]
  /** The stack's own changes, which become the file's: it shall say by itself what it describes. */
  readonly overrides: LabOverrides
  /** By host; one with nothing to say is missing. */
  readonly pins: Readonly<Record<string, Pins>>
}

/** @param text an inventory without mistakes */
export function frozenText(text: string, { heading, overrides, pins }: Frame): string {
  const document = parseDocument(text)
  const plain = z.record(z.string(), z.unknown()).parse(document.toJS())
  setLab(document, plain['lab'], overrides)
  const all = groupHosts(plain['all'], () => {})
  for (const host of all.hosts)
    for (const [key, value] of Object.entries(pins[host.name] ?? {}))
      document.setIn(
        [...placeOf(document, host.name, host.variables.get(key)?.path.slice(0, -1) ?? host.path), key],
        value,
      )
  setControl(document)
  const comment = text.startsWith(`# ${signature}`) ? '' : heading.map((line) => `# ${line}\n`).join('')
  return comment + document.toString({ lineWidth: 0 })
}

function setLab(document: Document, lab: unknown, overrides: LabOverrides): void {
  const merged = z.record(z.string(), z.unknown()).parse(override(lab, overrides).lab)
  for (const [key, value] of Object.entries(merged))
    setWhereOther(document, ['lab', key], value, valueAt(lab, [key]))
}

/** Only what differs is written, so that comments beside the rest stay. */
function setWhereOther(document: Document, path: Path, value: unknown, now: unknown): void {
  if (JSON.stringify(value) === JSON.stringify(now)) return
  if (!isPlainMap(value) || !isPlainMap(now)) return document.setIn(path, value)
  for (const key of Object.keys(now)) if (!(key in value)) document.deleteIn([...path, key])
  for (const [key, inner] of Object.entries(value)) setWhereOther(document, [...path, key], inner, now[key])
}

/** Where a host's own variables stand: a range stands for several hosts, so one of them gets a key beside it. */
function placeOf(document: Document, host: string, named: Path): Path {
  const place = [...named.slice(0, -1), host]
  if (!isMap(document.getIn(place))) document.setIn(place, document.createNode({}))
  return place
}

/**
 * Every `control: flanneld` goes, of the lab, of groups and of hosts, and the lab says static: a stack whose
 * configuration says `control: flanneld` gives the network back, with all that was pinned.
 */
function setControl(document: Document): void {
  forget(document.get('all'))
  const lab = document.get('lab')
  if (!isMap(lab)) throw new Error('an inventory without mistakes has a map lab')
  lab.delete('control')
  const place = lab.items.findIndex(({ key }) => isScalar(key) && key.value === 'overlay')
  lab.items.splice(place, 0, document.createPair('control', 'static'))
}

function forget(group: unknown): void {
  if (!isMap(group)) return
  const part = (name: string): YAMLMap | undefined => {
    const inner = group.get(name)
    return isMap(inner) ? inner : undefined
  }
  const clear = (map: unknown) =>
    isMap(map) && map.get('control') === ('flanneld' satisfies Control) && map.delete('control')
  clear(part('vars'))
  for (const { value } of part('hosts')?.items ?? []) clear(value)
  for (const { value } of part('children')?.items ?? []) forget(value)
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
