/** The example that the README shows, by real Pulumi: a lab, and an act of the program's own in one of its pods. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pulumiBinary, pulumiEnvironment } from '../../tools/environment.ts'
import { fromRepository, ownFolder } from '../../tools/paths.ts'

// A copy at the same depth, so that its imports hold, with names that no other run uses.
mkdirSync(ownFolder(), { recursive: true })
const folder = mkdtempSync(join(ownFolder(), 'example-'))
const lab = `smoke${process.pid}`

function pulumi(...args: string[]): string {
  const env = { ...process.env, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: 'example' }
  const result = spawnSync(pulumiBinary(), ['--non-interactive', '--stack', 'test', ...args], {
    cwd: folder,
    env: pulumiEnvironment(env),
    encoding: 'utf8',
  })
  if (result.status !== 0) throw new Error(`pulumi ${args.join(' ')}\n${result.stdout}${result.stderr}`)
  return result.stdout
}

beforeAll(() => {
  cpSync(fromRepository('examples/smoke'), folder, { recursive: true })
  const inventory = join(folder, 'inventory.yaml')
  const text = readFileSync(inventory, 'utf8')
    .replace('name: smoke', `name: ${lab}`)
    .replace('192.168.91.0/24', `172.30.${process.pid % 250}.0/24`)
  writeFileSync(inventory, text)
  pulumi('stack', 'init')
})

afterAll(() => {
  try {
    pulumi('destroy', '--yes', '--skip-preview')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('another Pulumi program builds a lab from the components and goes on from there', () => {
  pulumi('up', '--yes', '--skip-preview')
  expect(pulumi('stack', 'output', 'result')).toContain('3 packets transmitted, 3 received')
  expect(pulumi('preview', '--expect-no-changes')).toContain('8 unchanged')
  pulumi('destroy', '--yes', '--skip-preview')
  expect(existsSync(`/run/overlab/${lab}`)).toBe(false)
})
