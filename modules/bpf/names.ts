/** Where the udp backend's programs and maps stand on a host. One bpffs of overlab's own, so that machines that see the same /sys do not share them. */
import { bpfFolder } from '../owner.ts'
import { objectDigest } from './object.ts'

/**
 * Base name of the pinned program that the route to the pod network uses; `ip route` shows it. It carries the
 * object's digest, so that another version of the program is a difference of the route too.
 */
export const encapProgram = `overlab-udp-${objectDigest}`
export const encapPath = `${bpfFolder}/${encapProgram}`

/** The program of the tc filter; `tc filter show` shows the base name. */
export const decapProgram = `${encapProgram}-decap`
export const decapPath = `${bpfFolder}/${decapProgram}`

/** The maps, by their names in udp.bpf.c. A map whose layout changes needs a new name: a new program takes over the old maps. */
export const mapNames = ['overlab_config', 'overlab_peers', 'overlab_stats'] as const
export const configPath = `${bpfFolder}/overlab_config`
export const peersPath = `${bpfFolder}/overlab_peers`
export const statsPath = `${bpfFolder}/overlab_stats`

/** What each map is, as udp.bpf.c defines it; sizes in bytes. */
export const mapShapes: Readonly<
  Record<
    (typeof mapNames)[number],
    {
      readonly type: string
      readonly key: number
      readonly value: number
      readonly entries: number
      /** BPF_F_NO_PREALLOC is 1. */
      readonly flags: number
    }
  >
> = {
  overlab_config: { type: 'array', key: 4, value: 16, entries: 1, flags: 0 },
  overlab_peers: { type: 'lpm_trie', key: 8, value: 4, entries: 4096, flags: 1 },
  overlab_stats: { type: 'percpu_array', key: 4, value: 8, entries: 9, flags: 0 },
}
