import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repository } from '../../tools/paths.ts'
import { closingLine } from '../../tools/reporter.ts'
import { temporaryFolder } from './temporary.ts'

test('the closing line', () => {
  expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed')
  expect(closingLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped')
})

test('a run ends with it, after the skipped tests and their reasons', { timeout: 60_000 }, () => {
  const counts = join(temporaryFolder(), 'counts')
  const result = spawnSync(
    join(repository, 'node_modules/.bin/vitest'),
    [
      'run',
      '--root',
      join(import.meta.dirname, 'fixtures/reporter'),
      '--reporter',
      'default',
      '--reporter',
      join(repository, 'tools/reporter.ts'),
    ],
    { encoding: 'utf8', env: { ...process.env, OVERLAB_TEST_COUNTS: counts, NO_COLOR: '1' } },
  )
  const lines = result.stdout.trimEnd().split('\n')
  expect(lines.slice(-3)).toEqual([
    'skipped: sample.ts > has a reason: no root here',
    'skipped: sample.ts > has none: no reason given',
    // One test that fails, and one file that cannot be loaded.
    '2 passed, 2 failed, 2 skipped',
  ])
  expect(result.status).not.toBe(0)
  expect(JSON.parse(readFileSync(counts, 'utf8'))).toEqual({ passed: 2, failed: 2, skipped: 2 })
})
