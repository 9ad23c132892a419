/** How many bytes the envelope adds, from a packet that was captured on the NIC. Pure. */
import type { Observed } from '../trace/collect.ts'
import type { Layer } from '../trace/packet.ts'

/** Bytes between the two IPv4 lengths of the captured request, outer and inner; or why there are none. */
export function headerBytes({ views, sent }: Observed, host: string, nic: string): number | string {
  const view = views[host]
  const seen = view?.sightings.find(({ link, message }) => link === nic && message === 'request')
  if (!seen) {
    const why = sent.answered ? 'the packet was answered, but no capture has it' : 'the packet got no answer'
    return view?.notCaptured ?? why
  }
  const lengths = lengthsOf(seen.layers)
  if (lengths.length === 0) return 'the captured packet is no IPv4'
  return lengths[0]! - lengths.at(-1)!
}

function lengthsOf(layers: readonly Layer[]): number[] {
  return layers
    .filter(({ protocol }) => protocol === 'ipv4')
    .map(({ fields }) => Number(fields['total length']))
}
