/** Each backend without flanneld against the same backend with it, metric by metric. Pure. */
import { backends } from '../variants/variant.ts'
import type { Comparison, Pairing } from './comparison.ts'
import { differenceOf } from './difference.ts'
import { isMeasured, type Row } from './rows.ts'

/** In the metrics' order. Of whole metrics for which a way is good, where both were measured. */
export function pairingsOf({ variants }: Pick<Comparison, 'variants'>, rows: readonly Row[]): Pairing[] {
  return rows.flatMap(({ metric, of, cells }) =>
    of !== undefined || metric.better === 'neither'
      ? []
      : backends.flatMap((backend) => {
          const [ours, theirs] = ['static', 'flanneld'].map((control) =>
            variants.findIndex((one) => one.backend === backend && one.control === control),
          )
          const [one, other] = [cells[ours!], cells[theirs!]]
          if (!isMeasured(one) || !isMeasured(other)) return []
          return [
            {
              metric: metric.id,
              variant: variants[ours!]!.name,
              against: variants[theirs!]!.name,
              ...differenceOf(one, other),
            },
          ]
        }),
  )
}
