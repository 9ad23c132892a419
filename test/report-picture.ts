/**
 * The picture of the README: the head of a report, of a real run, as one sees it.
 * `node test/report-picture.ts [PAGE] [PICTURE]`; without words .overlab/results/report.html and docs/images/report.webp.
 */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fromRepository } from '../tools/paths.ts'
import { launchBrowser } from './support/browser.ts'

const [
  page = fromRepository('.overlab/results/report.html'),
  picture = fromRepository('docs/images/report.webp'),
] = process.argv.slice(2)
const size = { width: 1280, height: 1700 }
/** What a README can bear. */
const most = 300 * 1024

const browser = await launchBrowser()
try {
  const tab = await browser.newPage({ viewport: size, colorScheme: 'light' })
  await tab.goto(pathToFileURL(resolve(page)).href)
  // Playwright writes no WebP, which has half the size of a PNG; Chromium does.
  const chromium = await tab.context().newCDPSession(tab)
  const { data } = await chromium.send('Page.captureScreenshot', { format: 'webp', quality: 85 })
  const bytes = Buffer.from(data, 'base64')
  if (bytes.length > most) throw new Error(`${bytes.length} bytes are more than ${most}`)
  writeFileSync(picture, bytes)
  console.log(`${picture}: ${Math.ceil(bytes.length / 1024)} KiB`)
} finally {
  await browser.close()
}
