/** What the report calls a variant. */
import { underlay as baseline } from '../results/comparison.ts'

export interface Named {
  readonly name: string
  readonly backend?: string | undefined
  readonly control?: string | undefined
}

/** In a sentence: `vxlan without a daemon`, `flanneld's vxlan`. */
export function inWords({ name, backend, control }: Named): string {
  if (name === baseline) return 'the bare underlay'
  if (backend === undefined || control === undefined) return name
  if (control === 'flanneld') return `flanneld's ${backend}`
  // Only of udp does the daemon carry the packets; for the others the kernel does so under flanneld too.
  return backend === 'udp' ? 'udp by the kernel' : `static ${backend}`
}

/** Below its name at the head of a column: who fills the kernel. */
export function fillerOf({ name, control }: Named): string {
  if (name === baseline) return 'baseline'
  return control === undefined || control === 'static' ? (control ?? '') : `by ${control}`
}

/** The class of a variant's colour and shape; never the only mark of it. */
export function classOf({ name, control }: Named): 'baseline' | 'static' | 'flanneld' {
  return name === baseline ? 'baseline' : control === 'flanneld' ? 'flanneld' : 'static'
}
