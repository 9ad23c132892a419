/** What is compared: one way to fill the kernels of the same inventory. */
import { suggestion } from '../../inventory/suggest.ts'

export const backends = ['vxlan', 'host-gw', 'udp'] as const
export const controls = ['static', 'flanneld'] as const

export type Backend = (typeof backends)[number]
export type Control = (typeof controls)[number]

/** A backend and who fills it. Its name is `vxlan` where overlab does, and `vxlan-flanneld` where flanneld does. */
export interface Variant {
  readonly name: string
  readonly backend: Backend
  readonly control: Control
}

/** In the order of tables: each backend static, then by flanneld. */
export const variants: readonly Variant[] = controls.flatMap((control) =>
  backends.map((backend) => variantOf(backend, control)),
)

export function variantOf(backend: Backend, control: Control): Variant {
  return { name: control === 'static' ? backend : `${backend}-${control}`, backend, control }
}

/** @throws RangeError for a name that no variant has, with the nearest that there is */
export function variantNamed(name: string): Variant {
  const found = variants.find((variant) => variant.name === name)
  if (found) return found
  const hint = suggestion(
    name,
    variants.map((variant) => variant.name),
  )
  throw new RangeError(`there is no variant ${name}${hint ? `: ${hint}` : ''}`)
}
