import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { reportPage, type ReportInput } from '../../../experiments/report/page.ts'
import { comparisonFile, survivalFile } from './files.ts'
import { nasty } from './nasty.ts'

const comparison = { result: comparisonFile(), file: 'comparison.json', href: 'comparison.json' }
const survival = { result: survivalFile(), file: 'survival.json' }
const version = '0.1.0'

/** Tags in their order, `/p` for an end; nothing of the page is left but text. */
function tagsOf(page: string): { tags: string[]; text: string } {
  const tags: string[] = []
  const text = page
    .replace(/^<!doctype html>/, '')
    .replace(/<style>[^]*?<\/style>/, '')
    .replaceAll(/<(\/?[a-z][a-z0-9]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/gi, (_, name: string, __, empty: string) => {
      tags.push(name)
      if (empty) tags.push(`/${name}`)
      return ''
    }) // prettier-ignore
  return { tags, text }
}

/** Every element is closed in its place, and what is left holds no character of markup. */
function expectWhole(page: string): void {
  const { tags, text } = tagsOf(page)
  const open: string[] = []
  for (const tag of tags) {
    if (tag.startsWith('/')) expect(open.pop()).toBe(tag.slice(1))
    else open.push(tag)
  }
  expect(open).toEqual([])
  expect(text.match(/[<>]|&(?!(?:\w+|#\d+);)/g)).toBeNull()
}

describe('a page of both results', () => {
  let page = ''
  beforeAll(async () => (page = await reportPage({ comparison, survival, version })))

  test('is whole, and asks nobody for anything', () => {
    expectWhole(page)
    expect(page).toMatch(/^<!doctype html>\s*<html lang="en">/)
    expect(page).not.toMatch(/<(script|link|iframe|object|embed|base)\b|\bon\w+=|url\(|@import/i)
    const addresses = [...page.matchAll(/\b(?:src|href|action|srcset)="([^"]*)"/g)].map(([, address]) => address!)
    expect(addresses.filter((one) => !/^(#|data:image\/svg\+xml;base64,|comparison\.json$)/.test(one))).toEqual([])
  }) // prettier-ignore

  test('names every id once, and points at what is there', () => {
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!)
    expect(new Set(ids).size).toBe(ids.length)
    const pointed = [...page.matchAll(/ (?:href="#|aria-labelledby="|aria-describedby=")([^"]+)"/g)]
    const missing = pointed.flatMap(([, words]) => words!.split(' ')).filter((id) => !ids.includes(id))
    expect(missing).toEqual([])
  })

  test('has every row, every column and every cell', () => {
    const rows = (name: string) =>
      new RegExp(`<table class="${name}">[^]*?</table>`).exec(page)![0].split('<tr>').slice(1)
    const { metrics, variants } = comparison.result
    const cells = rows('comparison').map((row) => row.match(/<t[dh]\b/g)!.length)
    // A heading alone stands over the rows of a metric that has no whole.
    expect(cells.filter((count) => count > 1)).toHaveLength(1 + metrics.length - 1 + 5 + 3)
    expect(new Set(cells)).toEqual(new Set([1, variants.length + 1]))
    expect(rows('survival')).toHaveLength(1 + survival.result.faults.length)
    for (const row of rows('survival'))
      expect(row.match(/<t[dh]\b/g)).toHaveLength(1 + survival.result.variants.length)
  })

  test('has a chart for every metric, and words for who does not see it', () => {
    const charts = page.match(/<svg\s+class="chart"[^]*?<\/svg>/g)!
    expect(charts.length).toBeGreaterThanOrEqual(comparison.result.metrics.length)
    for (const chart of charts) expect(chart).toMatch(/<title id="[^"]+">[^<]+<\/title>\s*<desc id="[^"]+">[^<]+<\/desc>/) // prettier-ignore
    expect(page.match(/Every sample<span/g)).toHaveLength(comparison.result.metrics.length)
  })

  test('says of each gap what it is and why, and shows no zero for it', () => {
    const row = page.split('<tr>').find((one) => one.includes('Small UDP packets lost'))!
    const cell = row.split('<td')[6]!
    expect(cell).toMatch(/class="not-measured"[^]*not measured/)
    expect(cell).not.toMatch(/class="value"/)
    expect(page).toContain('node2: iperf3: unable to receive results: Resource temporarily unavailable')
    expect(page).toContain('TCP throughput, 4 streams, vxlan, round 3: node3: connect: its machine does not run')
    expect(page).toContain('udp-flanneld, host-joins: node4: machine: was not ready within 30 s')
  }) // prettier-ignore
})

test('of one round it says that no claim follows, and marks nobody; so of a file of before', async () => {
  const { pairings: _, ...result } = comparison.result
  const one = { ...result, rounds: 1, samples: result.samples.filter(({ round }) => round === 1) }
  const page = await reportPage({ comparison: { ...comparison, result: one }, version })
  expectWhole(page)
  expect(page).toContain('Comparison: One round was measured: that tells no difference from noise')
  expect(page).not.toMatch(/class="(mark )?(best|level)"/)
  expect(page).not.toContain('<ul class="findings">')
})

test('static and flanneld stand against each other with their ratio and its interval, in the table and at each chart', async () => {
  const page = await reportPage({ comparison, version })
  const table = /<table class="pairings">[^]*?<\/table>/.exec(page)![0]
  expect(table).toMatch(/no difference found\s*<small class="spread">ratio [\d.]+, 0\.\d+ to 1\.\d+/)
  expect(table).toMatch(/higher\s*<small class="spread">ratio 9\.\d+, [\d.]+ to [\d.]+/)
  expect(page).toMatch(/<p class="how">vxlan to vxlan-flanneld: no difference found \(ratio /)
})

test('a result that is missing is named, with the command that makes it', async () => {
  const without = await reportPage({ survival, version })
  expect(without).toMatch(/Not measured yet\.<\/b>\s*<code>\.\/overlab compare<\/code>/)
  expect(without).toContain('<table class="survival">')
  expect(without).not.toContain('<svg')
  expectWhole(without)
  const only = await reportPage({ comparison, version })
  expect(only).toMatch(/Not measured yet\.<\/b>\s*<code>\.\/overlab survive<\/code>/)
  expectWhole(only)
})

test('a result without a single sample is told as such', async () => {
  const { result } = comparison
  const page = await reportPage({
    comparison: { ...comparison, result: { ...result, samples: [] } },
    survival: { ...survival, result: { ...survival.result, cells: [] } },
    version,
  })
  expectWhole(page)
  expect(page).toMatch(/<td class="absent">/)
  expect(page).toContain('the file has no such cell')
  expect(page).not.toContain('class="value"')
})

test('the same numbers make the same page', async () => {
  const input = { comparison, survival, version }
  expect(await reportPage(input)).toBe(await reportPage(structuredClone(input)))
})

test('of different machines, of a busy one, and of gaps the reader is warned', async () => {
  const { provenance } = survival.result
  const other = { ...provenance, kernel: '6.1.0', load: [0.1, 6.25] as [number, number] }
  const page = await reportPage({
    comparison,
    survival: { ...survival, result: { ...survival.result, provenance: other } },
    version,
  })
  expect(page).toContain('were measured on different machines')
  expect(page).toMatch(/Survival: the machine was busy with other work \(load 6\.3 on 2 cores\)/)
  expect(page).toMatch(/13 measurements did not happen/)
})

describe('whatever the files say', () => {
  /** A metric with gaps, one with parts, one with counts of hosts. */
  const kept = ['udp-loss', 'cpu-per-gigabyte', 'entries']
  const result = {
    ...comparison.result,
    metrics: comparison.result.metrics.filter(({ id }) => kept.includes(id)),
    samples: comparison.result.samples.filter(({ metric }) => kept.includes(metric)),
  }
  /** Every free text of both files is another one. */
  function withTexts(next: () => string): ReportInput {
    const names = new Map<string, string>()
    // What refers to each other must go on to; the number keeps two of them apart.
    const renamed = (name: string) => {
      if (!names.has(name)) names.set(name, names.size % 2 === 0 ? `${next()}${names.size}` : `${names.size}${next()}`)
      return names.get(name)!
    }
    const { result: matrix } = survival
    return {
      version,
      comparison: {
        ...comparison,
        result: {
          ...result,
          lab: next(),
          provenance: {
            ...result.provenance,
            kernel: next(),
            cpu: next(),
            command: [next()],
            versions: { [next()]: next() },
            offloads: { [next()]: { [next()]: true } },
          },
          variants: result.variants.map((variant) => ({ ...variant, name: renamed(variant.name), svg: next() })),
          metrics: result.metrics.map((metric) => ({ ...metric, title: next(), unit: next(), how: next() })),
          samples: result.samples.map((sample) => ({
            ...sample,
            variant: renamed(sample.variant),
            ...(sample.of === undefined ? {} : { of: renamed(sample.of) }),
            ...('notMeasured' in sample ? { notMeasured: next() } : {}),
          })),
        },
      },
      survival: {
        ...survival,
        file: next(),
        result: {
          ...matrix,
          faults: matrix.faults.map((fault) => ({ ...fault, title: next(), what: next() })),
          cells: matrix.cells.map((cell) =>
            'heals' in cell
              ? { ...cell, because: next(), pairs: cell.pairs.map((pair) => ({ ...pair, pair: next() })) }
              : { ...cell, ...('notMeasured' in cell ? { notMeasured: next() } : { notApplicable: next() }) },
          ),
        },
      },
    }
  } // prettier-ignore

  test.each([0, 7])('nasty texts stay text, from the %d. on', async (first) => {
    let index = first
    const page = await reportPage(withTexts(() => nasty[index++ % nasty.length]!))
    expectWhole(page)
    expect(page).not.toMatch(/<(script|img src=x|h1>me)/)
  })

  test('any strings stay text', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { minLength: 1, maxLength: 9 }),
        async (texts) => {
          let index = 0
          expectWhole(await reportPage(withTexts(() => texts[index++ % texts.length]!)))
        },
      ),
      { numRuns: 6 },
    )
  })
})
