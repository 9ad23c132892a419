/** The file that `overlab survive` writes and `overlab report` reads: what each fault cost, variant by variant. */
import * as z from 'zod'
import { provenance } from './provenance.ts'

/** How the pods came to reach each other again. `unharmed`: no packet was lost. */
export const heals = z.enum(['unharmed', 'by itself', 'by pulumi up', 'never'])

const place = { variant: z.string(), fault: z.string() }

export const cell = z.union([
  z.strictObject({
    ...place,
    /** Echo requests of all ordered pairs of hosts together, at 100 a second for each pair. */
    sent: z.int().positive(),
    lost: z.int().nonnegative(),
    /** The longest time in which one pair got no answer, from the first lost request to the next answered one, in ms. Of an outage that was ended by `pulumi up` or not at all, the time watched. */
    outageMs: z.number().nonnegative(),
    heals,
    /** `node1-pod1 -> node2-pod1`, each with what it lost; only those that lost something. */
    pairs: z.array(z.strictObject({ pair: z.string(), sent: z.int(), lost: z.int(), outageMs: z.number() })),
    /** Why, in one sentence, where it is known: what was gone and who put it back. */
    because: z.string().optional(),
  }),
  z.strictObject({ ...place, notMeasured: z.string().min(1) }),
  /** A static lab has no flanneld to kill. */
  z.strictObject({ ...place, notApplicable: z.string().min(1) }),
])

export const survival = z.strictObject({
  kind: z.literal('overlab.survival'),
  version: z.literal(1),
  provenance,
  lab: z.string(),
  variants: z.array(z.strictObject({ name: z.string(), backend: z.string(), control: z.string() })),
  /** In the order of the matrix' rows. */
  faults: z.array(z.strictObject({ id: z.string(), title: z.string(), what: z.string() })),
  cells: z.array(cell),
})

export type Heals = z.infer<typeof heals>
export type Cell = z.infer<typeof cell>
export type Survival = z.infer<typeof survival>
