/** Labs that are made for questions: one a variant, used again by the next question, all taken away at the end. */
import type { Inventory } from '../../inventory/inventory.ts'
import { scratchLab, type ScratchLab } from '../variants/scratch.ts'
import type { Variant } from '../variants/variant.ts'
import type { Labs, MadeSite } from './labs.ts'
import { lastingSessions } from './site.ts'
import { measured } from './measured.ts'

export interface Maker {
  readonly made: Labs['made']
  /** Takes away all that were made. Also after an interrupt. */
  close(): Promise<void>
}

export function createMaker(
  inventory: Inventory,
  signal: AbortSignal,
  onProgress: (state: string) => void = () => {},
): Maker {
  const labs = new Map<string, { readonly lab: ScratchLab; broken: boolean }>()

  async function siteOf(variant: Variant): Promise<MadeSite> {
    const known = labs.get(variant.name)
    const one = known ?? {
      lab: await scratchLab({ inventory }, variant, { signal, onProgress }),
      broken: false,
    }
    labs.set(variant.name, one)
    const repair = async () => {
      onProgress(`pulumi up of ${variant.name}`)
      await one.lab.up()
      one.broken = false
    }
    if (one.broken) await repair()
    const { plan } = one.lab
    const session = lastingSessions(one.lab.session, signal)
    return { name: variant.name, plan, session, signal, repair, leaveBroken: () => void (one.broken = true) }
  }

  return {
    made: (variant, act) => measured(async () => act(await siteOf(variant)), signal),
    async close() {
      if (labs.size > 0) onProgress('taking away the labs that were made')
      await Promise.all([...labs.values()].map(({ lab }) => lab.destroy()))
    },
  }
}
