import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repository } from '../../tools/paths.ts'
import { temporaryFolder } from './temporary.ts'

/** `.ci/run` with an npm that plays its part. */
function ci(npmTest: string, npmCheck: string) {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'bin'))
  cpSync(join(repository, '.ci/run'), join(folder, '.ci/run'))
  const npm = `#!/bin/sh\ncase "$*" in test) ${npmTest} ;; "run check") ${npmCheck} ;; *) exit 64 ;; esac\n`
  writeFileSync(join(folder, 'bin', 'npm'), npm, { mode: 0o755 })
  const result = spawnSync(join(folder, '.ci/run'), {
    encoding: 'utf8',
    env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
  })
  return { status: result.status, last: result.stdout.trimEnd().split('\n').at(-1) }
}

const counts = (passed: number, failed: number, skipped: number) =>
  `echo '{"passed":${passed},"failed":${failed},"skipped":${skipped}}' > "$OVERLAB_TEST_COUNTS"`

test.each([
  ['all is well', counts(7, 0, 0), 'true', 0, '8 passed, 0 failed'],
  ['a test fails', `${counts(6, 1, 0)}; exit 1`, 'true', 1, '7 passed, 1 failed'],
  ['the check fails', counts(7, 0, 2), 'exit 1', 1, '7 passed, 1 failed, 2 skipped'],
  ['the set-up fails', 'exit 1', 'exit 1', 1, '0 passed, 2 failed'],
  ['the run fails with no failed test', `${counts(7, 0, 0)}; exit 1`, 'true', 1, '8 passed, 1 failed'],
])('%s', (_name, npmTest, npmCheck, status, last) => {
  expect(ci(npmTest, npmCheck)).toEqual({ status, last })
})
