/** The labs that a question may look at: the running one, and others that are made for it and taken away again. */
import { variantOf, type Backend, type Variant } from '../variants/variant.ts'
import { measured, type Measured } from './measured.ts'
import { backendOf, type Site } from './site.ts'

/** A lab that was made for a question: it may be broken. */
export interface MadeSite extends Site {
  /** `pulumi up`: starts the daemons that are dead, puts back what is missing. */
  readonly repair: () => Promise<void>
  /** Who comes next finds it repaired. */
  readonly leaveBroken: () => void
}

export interface Labs {
  readonly own: Site
  /** The backends that are compared, beside the running lab's own. */
  readonly backends: readonly Backend[]
  /** Runs `act` on a lab of the variant that is nobody's; not measured where none is to be made, or none could be. */
  readonly made: <T extends object>(
    variant: Variant,
    act: (site: MadeSite) => Promise<T>,
  ) => Promise<Measured<T>>
}

/** What was found in one lab. */
export interface Found<T> {
  /** The variant's name. */
  readonly lab: string
  readonly found: Measured<T>
}

/** In the running lab, then in static ones of the other backends. */
export async function inEachBackend<T extends object>(
  { own, backends, made }: Labs,
  act: (site: Site) => Promise<T>,
): Promise<Found<T>[]> {
  const all = [{ lab: own.name, found: await measured(() => act(own), own.signal) }]
  for (const backend of backends.filter((one) => one !== backendOf(own))) {
    const variant = variantOf(backend, 'static')
    all.push({ lab: variant.name, found: await made(variant, act) })
  }
  return all
}

/** The backend on which daemons are killed where pods shall talk on: the running lab's own if it can be. */
export function enduring({ own, backends }: Labs): Backend | undefined {
  const fit = backends.filter((one) => one !== 'udp')
  return fit.find((one) => one === backendOf(own)) ?? fit[0]
}
