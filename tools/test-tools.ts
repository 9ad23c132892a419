/** What only the tests need. `npm test` asks for it by `--tests`. */
import { isThere, planPackages, type Tool } from './packages.ts'
import type { Part } from './work.ts'

/** Ubuntu has it as a snap only: there the tests that need it are skipped, and say so. */
export const browser: Tool = {
  name: 'chromium',
  neededFor: 'the tests of overlab report',
  packages: [['chromium', 'fonts-dejavu-core']],
  optional: true,
}

const shells = 'the tests of login shells'

export const testTools: readonly Tool[] = [
  browser,
  { name: 'sudo', neededFor: 'the tests of users that become root', packages: [['sudo']] },
  { name: 'nft', neededFor: 'the tests of firewalls', packages: [['nftables']] },
  { name: 'zsh', neededFor: shells, packages: [['zsh']] },
  { name: 'fish', neededFor: shells, packages: [['fish']] },
  { name: 'tcsh', neededFor: shells, packages: [['tcsh']] },
]

export const testToolsPart: Part = { name: 'what only the tests need', plan: () => planTestTools() }

export async function planTestTools(
  words: readonly string[] = process.argv,
  env: NodeJS.ProcessEnv = process.env,
) {
  const missing = words.includes('--tests') ? testTools.filter((tool) => !isThere(tool, env)) : []
  return missing.length > 0 ? planPackages(env, missing) : undefined
}
