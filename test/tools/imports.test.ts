import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repository } from '../../tools/paths.ts'

/** The rules that a tree breaks, with the imports that break them. */
function violations(folder: string): string[] {
  const result = spawnSync(
    join(repository, 'node_modules/.bin/depcruise'),
    ['--config', join(repository, '.dependency-cruiser.mjs'), '--output-type', 'json', '.'],
    { cwd: folder, encoding: 'utf8', maxBuffer: 1e9 },
  )
  const { summary } = JSON.parse(result.stdout) as {
    summary: { totalCruised: number; violations: { rule: { name: string }; from: string; to: string }[] }
  }
  expect(summary.totalCruised).toBeGreaterThan(0)
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)
}

test('a folder that imports what its row does not name, and a cycle, are found', () => {
  expect(violations(join(import.meta.dirname, 'fixtures/imports')).sort()).toEqual([
    'no-cycle: overlay/c.ts -> overlay/d.ts',
    'remote-imports: remote/b.ts -> inventory/a.ts',
  ])
})

test('the house keeps its own rules', { timeout: 60_000 }, () => {
  expect(violations(repository)).toEqual([])
})
