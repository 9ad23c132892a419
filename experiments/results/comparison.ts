/** The file that `overlab compare` writes and `overlab report` reads: raw samples, and what they are samples of. */
import * as z from 'zod'
import { provenance } from './provenance.ts'

export const metric = z.strictObject({
  /** `rtt-p50`, `tcp-1`, `cpu-per-gigabyte`, ... */
  id: z.string(),
  title: z.string(),
  /** `ms`, `Mbit/s`, `s/GB`, `bytes`, `entries`, `packets`, ...; empty for a plain count. */
  unit: z.string(),
  /** Which way is good; `neither` for facts such as a header's length. */
  better: z.enum(['lower', 'higher', 'neither']),
  /** How it was measured, in one sentence: the instrument and its settings. */
  how: z.string(),
})

/** The baseline's name: the hosts' own addresses, without pods and backend. */
export const underlay = 'underlay'

/** `variant` is a variant's name, or `underlay`. */
const place = { variant: z.string(), metric: z.string() }

export const sample = z.union([
  z.strictObject({
    ...place,
    /** From 1. */
    round: z.int().positive(),
    value: z.number(),
    /** What one value is of, where a metric has several a round: a process (`flanneld`), a count of hosts (`10 hosts`). */
    of: z.string().optional(),
  }),
  z.strictObject({
    ...place,
    round: z.int().positive(),
    of: z.string().optional(),
    notMeasured: z.string().min(1),
  }),
])

/** What follows from the samples, said once more for programs: whoever has the samples can reckon it again. */
export const pairing = z.strictObject({
  metric: z.string(),
  /** The two variants: `vxlan`, `vxlan-flanneld`. */
  variant: z.string(),
  against: z.string(),
  /** In which both were measured. */
  rounds: z.int().nonnegative(),
  verdict: z.enum(['higher', 'lower', 'no difference found', 'too few rounds']),
  /** Of `variant` to `against`, with the interval in which it lies by a confidence of 99 %. None where a sample is zero. */
  ratio: z.strictObject({ middle: z.number(), low: z.number(), high: z.number() }).optional(),
})

export const comparison = z.strictObject({
  kind: z.literal('overlab.comparison'),
  version: z.literal(1),
  provenance,
  lab: z.string(),
  rounds: z.int().positive(),
  /** In the order of tables; the first is the baseline. */
  variants: z.array(
    z.strictObject({
      name: z.string(),
      backend: z.string().optional(),
      control: z.string().optional(),
      /** The drawn topology, self-contained SVG. Not for the baseline. */
      svg: z.string().optional(),
    }),
  ),
  metrics: z.array(metric),
  samples: z.array(sample),
  /** Each backend without flanneld against the same with it. Files of before have none. */
  pairings: z.array(pairing).optional(),
})

export type Metric = z.infer<typeof metric>
export type Pairing = z.infer<typeof pairing>
export type Sample = z.infer<typeof sample>
export type Comparison = z.infer<typeof comparison>
