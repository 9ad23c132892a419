/** What only the tests need: a browser, in which the report is looked at. `npm test` asks for it by `--browser`. */
import { isThere, planPackages, type Tool } from './packages.ts'
import type { Part } from './work.ts'

/** Ubuntu has it as a snap only: there the tests that need it are skipped, and say so. */
export const browser: Tool = {
  name: 'chromium',
  neededFor: 'the tests of overlab report',
  packages: [['chromium', 'fonts-dejavu-core']],
  optional: true,
}

export const browserPart: Part = { name: 'the browser', plan: () => planBrowser() }

export async function planBrowser(
  words: readonly string[] = process.argv,
  env: NodeJS.ProcessEnv = process.env,
) {
  return words.includes('--browser') && !isThere(browser, env) ? planPackages(env, [browser]) : undefined
}
