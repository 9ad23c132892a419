/** Who may ping whom, and what came of it. */
import type { Ip, Name } from '../inventory/values.ts'

export interface Endpoint {
  readonly name: Name
  readonly kind: 'host' | 'pod'
  readonly address: Ip
  /** The host it is, or is on. */
  readonly host: Name
}

export interface Reach {
  readonly from: Endpoint
  readonly to: Endpoint
  readonly sent: number
  readonly received: number
  /** Round-trip times in ms, as ping prints them; missing where nothing came back. */
  readonly rtt?: { readonly min: number; readonly avg: number; readonly max: number }
  /** Why there is no measurement: then `sent` is 0, and that is no loss. */
  readonly notMeasured?: string
}

/** Every source to every other endpoint. */
export function pairs(
  sources: readonly Endpoint[],
  all: readonly Endpoint[],
): { from: Endpoint; to: Endpoint }[] {
  return sources.flatMap((from) => all.filter((to) => to.name !== from.name).map((to) => ({ from, to })))
}
