/** The report in a real browser: nothing is asked of any network, all is readable, on a phone, in the dark and on paper. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reportPage, type ReportInput } from '../../experiments/report/page.ts'
import { comparisonFile, survivalFile } from '../experiments/report/files.ts'
import { nasty } from '../experiments/report/nasty.ts'
import { chromiumPath, launchBrowser } from '../support/browser.ts'

const wide = { viewport: { width: 1280, height: 900 } } as const
const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true } as const
const comparison = { result: comparisonFile(), file: 'comparison.json' }
const survival = { result: survivalFile(), file: 'survival.json' }

const folder = mkdtempSync(join(tmpdir(), 'overlab-report-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** @returns the page's address */
function write(name: string, page: string): string {
  const path = join(folder, name)
  writeFileSync(path, page)
  return pathToFileURL(path).href
}

async function made(name: string, input: Omit<ReportInput, 'version'>): Promise<string> {
  return write(name, await reportPage({ ...input, version: '0.1.0' }))
}

/** What a script finds in the page; it is a text, since a page's globals are not Node's. */
function inPage<T>(page: Page, script: string): Promise<T> {
  return page.evaluate<T>(`(() => { const all = (selector) => [...document.querySelectorAll(selector)]
    ${script} })()`)
}

const openAll = `all('details').forEach((one) => (one.open = true))`

test('there is a browser to look with', ({ skip }) => {
  skip(chromiumPath() === undefined, 'no chromium here (Debian: apt-get install chromium)')
})

describe.runIf(chromiumPath() !== undefined)('in Chromium', () => {
  let browser: Browser
  let both: string
  beforeAll(async () => {
    browser = await launchBrowser()
    both = await made('both.html', { comparison, survival })
  })
  afterAll(() => browser?.close())

  /** What `use` finds, and everything that the page asked for or complained of meanwhile. */
  async function look<T>(url: string, options: BrowserContextOptions, use: (page: Page) => Promise<T>) {
    const context = await browser.newContext(options)
    try {
      const page = await context.newPage()
      const requests: string[] = []
      const complaints: string[] = []
      page.on('request', (request) => {
        if (request.url() !== url && !request.url().startsWith('data:')) requests.push(request.url())
      })
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      await page.goto(url)
      const found = await use(page)
      return { found, requests, complaints }
    } finally {
      await context.close()
    }
  }

  test.each([
    ['light, wide', { ...wide, colorScheme: 'light' }],
    ['dark, on a phone', { ...phone, colorScheme: 'dark' }],
  ] as const)('axe finds nothing to complain of: %s', async (_, options) => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    const { found, requests, complaints } = await look(both, options, async (page) => {
      await inPage(page, openAll)
      await page.evaluate(axe)
      return inPage<{ violations: string[]; passes: string[] }>(
        page,
        `return axe.run().then(({ violations, passes }) => ({
          violations: violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html + ' ' + failureSummary)),
          passes: passes.map(({ id }) => id),
        }))`,
      )
    })
    expect(found.violations).toEqual([])
    const rules = ['color-contrast', 'landmark-one-main', 'page-has-heading-one', 'scrollable-region-focusable'] // prettier-ignore
    expect(found.passes).toEqual(expect.arrayContaining(rules))
    expect({ requests, complaints }).toEqual({ requests: [], complaints: [] })
  })

  test('of a request or an error we would have been told', async () => {
    const bad = '<!doctype html><img src="http://127.0.0.1:9/x.png"><script>throw new Error("told")</script>'
    const { requests, complaints } = await look(write('bad.html', bad), wide, (page) => page.waitForTimeout(200)) // prettier-ignore
    expect(requests).toEqual(['http://127.0.0.1:9/x.png'])
    expect(complaints).toEqual(expect.arrayContaining(['told']))
  })

  test('landmarks, one h1, headings in order; tables have captions and scopes, pictures words', async () => {
    const { found } = await look(both, wide, (page) =>
      inPage<Record<string, unknown>>(
        page,
        `const levels = all('h1, h2, h3, h4').map(({ tagName }) => Number(tagName[1]))
        const columns = (row) => [...row.cells].reduce((sum, { colSpan }) => sum + colSpan, 0)
        return {
          language: document.documentElement.lang,
          landmarks: ['header', 'nav', 'main', 'footer'].map((name) => all(name).length),
          h1: all('h1').length,
          skipped: levels.filter((level, index) => index > 0 && level > levels[index - 1] + 1),
          tables: all('table').length,
          bare: all('table').filter((table) => !table.caption || table.querySelector('th:not([scope])')).length,
          ragged: all('table').filter((table) => new Set([...table.rows].map(columns)).size > 1).length,
          charts: all('svg.chart').filter((chart) => !chart.querySelector('title').textContent || !chart.querySelector('desc').textContent).length,
          pictures: all('img').filter((image) => !image.alt || !image.naturalWidth).length,
        }`,
      ),
    )
    expect(found).toMatchObject({ language: 'en', landmarks: [1, 1, 1, 1], h1: 1, skipped: [] })
    expect(found).toMatchObject({ bare: 0, ragged: 0, charts: 0, pictures: 0 })
    expect(found['tables']).toBeGreaterThan(20)
  })

  test('every cell of the matrix is there, and says in words what its colour says', async () => {
    const { found } = await look(both, wide, (page) =>
      inPage<[string, string][][]>(
        page,
        `return all('table.survival tbody tr').map((row) => [...row.querySelectorAll('td')].map((cell) => [cell.className, cell.innerText]))`,
      ),
    )
    expect(found).toHaveLength(survival.result.faults.length)
    for (const row of found) {
      expect(row).toHaveLength(survival.result.variants.length)
      for (const [classes, text] of row)
        expect(text).toContain(classes.replace('outcome ', '').replaceAll('-', ' '))
    }
  })

  test.each([320, 360, 414, 768])(
    'nothing is wider than a window of %d: a wide table scrolls in its box, and its first column stays',
    async (width) => {
      const { found } = await look(both, { viewport: { width, height: 740 } }, (page) =>
        inPage<Record<string, number>>(
          page,
          `${openAll}
          const box = document.querySelector('.scroll:has(table.survival)')
          box.scrollLeft = 10_000
          const first = box.querySelector('tbody th').getBoundingClientRect()
          return {
            page: document.documentElement.scrollWidth,
            scrolled: box.scrollLeft,
            left: Math.round(first.left - box.getBoundingClientRect().left),
            share: first.width / box.clientWidth,
            squeezed: all('svg.chart').filter((chart) => chart.getBoundingClientRect().width < Math.min(300, innerWidth - 40)).length,
          }`,
        ),
      )
      expect(found).toMatchObject({ page: width, left: 0, squeezed: 0 })
      expect(found['scrolled']).toBeGreaterThan(0)
      expect(found['share']).toBeLessThan(0.5)
    },
  )

  test('the keyboard reaches the skip link first, then what can be scrolled and opened, each with a mark', async () => {
    const { found } = await look(both, wide, async (page) => {
      const stops: { what: string; marked: boolean }[] = []
      for (let index = 0; index < 20; index++) {
        await page.keyboard.press('Tab')
        const stop = `const at = document.activeElement
          const { outlineStyle, outlineWidth } = getComputedStyle(at)
          return { what: (at.tagName + ' ' + at.className).trim(), marked: outlineStyle !== 'none' && outlineWidth !== '0px' }`
        stops.push(await inPage(page, stop))
      }
      return stops
    })
    expect(found[0]!.what).toBe('A skip')
    const reached = found.map(({ what }) => what)
    expect(reached).toEqual(expect.arrayContaining(['DIV scroll', 'SUMMARY']))
    expect(found.filter(({ marked }) => !marked)).toEqual([])
  })

  test('on paper: light, everything open, and nothing wider than the sheet', async () => {
    const { found } = await look(both, { ...wide, colorScheme: 'dark' }, async (page) => {
      const pdf = await page.pdf({ preferCSSPageSize: true })
      await page.emulateMedia({ media: 'print' })
      // A4 less the margins, in CSS pixels.
      await page.setViewportSize({ width: Math.floor(((210 - 24) / 25.4) * 96), height: 1000 })
      const paper = await inPage<object>(
        page,
        `return {
          background: getComputedStyle(document.body).backgroundColor,
          text: getComputedStyle(document.body).color,
          wide: all('table, figure, .card').filter((one) => one.getBoundingClientRect().right > innerWidth + 1).length,
          // What is closed on the screen, but for the samples.
          closed: all('details').filter((one) => !one.closest('.card') && one.querySelector('table').getBoundingClientRect().height < 20).length,
          menu: document.querySelector('nav').getBoundingClientRect().height,
        }`,
      )
      return { paper, sheets: (pdf.toString('latin1').match(/\/Type\s*\/Page\b/g) ?? []).length }
    })
    const light = { background: 'rgb(255, 255, 255)', text: 'rgb(31, 35, 40)' }
    expect(found.paper).toEqual({ ...light, wide: 0, closed: 0, menu: 0 })
    expect(found.sheets).toBeGreaterThan(3)
    expect(found.sheets).toBeLessThan(20)
  })

  test('a page of one result, and of no sample, is as sound', async () => {
    const empty = { ...comparison, result: { ...comparison.result, samples: [] } }
    const { found, complaints } = await look(await made('empty.html', { comparison: empty }), phone, (page) =>
      inPage<object>(
        page,
        'return { width: document.documentElement.scrollWidth, text: document.body.innerText }',
      ),
    )
    expect(found).toEqual({
      width: 360,
      text: expect.stringContaining('./overlab survive measures what each fault costs') as string,
    })
    expect(complaints).toEqual([])
  })

  test('what the files say is text: nothing of it runs, becomes an element, or widens the page', async () => {
    let index = 0
    const next = () => nasty[index++ % nasty.length]!
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title id="title">t</title>
      <script>parent.document.title = 1</script><image href="http://127.0.0.1:9/y.png"/></svg>`
    const faults = survival.result.faults.map((fault) => ({ ...fault, title: next(), what: next() }))
    const url = await made('nasty.html', {
      comparison: {
        ...comparison,
        result: {
          ...comparison.result,
          lab: next(),
          variants: comparison.result.variants.map((variant) => ({ ...variant, svg })),
          metrics: comparison.result.metrics.map((metric) => ({ ...metric, title: next(), how: next() })),
        },
      },
      survival: { result: { ...survival.result, faults }, file: next() },
    })
    const { found, requests, complaints } = await look(url, phone, async (page) => {
      await page.waitForTimeout(200)
      return inPage<Record<string, unknown>>(
        page,
        `return {
          title: document.title,
          foreign: all('script, img:not([src^="data:"]), a[href^="http"], header ~ h1, td h1').length,
          first: document.querySelector('table.survival tbody th').firstChild.textContent.trim(),
          width: document.documentElement.scrollWidth,
        }`,
      )
    })
    expect(found).toEqual({
      title: 'What each overlay costs, and what it survives',
      foreign: 0,
      first: faults[0]!.title,
      width: 360,
    })
    expect({ requests, complaints }).toEqual({ requests: [], complaints: [] })
  })
})
