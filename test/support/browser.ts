/** Debian's Chromium, headless, with a profile of its own that goes with it, and nothing that phones home. */
import { chromium, type Browser } from 'playwright-core'
import { browser } from '../../tools/test-tools.ts'
import { findCommand } from '../../tools/commands.ts'

export function chromiumPath(): string | undefined {
  return findCommand(browser.name)
}

/** The caller closes it. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = chromiumPath()
  if (executablePath === undefined)
    throw new Error(`there is no ${browser.name}: apt-get install ${browser.name}`)
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      // Chromium's sandbox refuses root.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
