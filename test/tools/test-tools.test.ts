import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planTestTools, testTools } from '../../tools/test-tools.ts'
import { temporaryFolder } from './temporary.ts'

/** A machine with apt-get and these programs, and nothing else. */
function machine(...programs: readonly string[]): NodeJS.ProcessEnv {
  const bin = join(temporaryFolder(), 'bin')
  mkdirSync(bin)
  for (const name of ['apt-get', ...programs])
    writeFileSync(join(bin, name), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  return { PATH: bin }
}

test('what only tests need is installed for them only, and where it is missing', async ({ skip }) => {
  const all = testTools.map(({ name }) => name)
  expect(await planTestTools(['--tests'], machine(...all))).toBeUndefined()
  expect(await planTestTools([], machine())).toBeUndefined()
  const work = await planTestTools(['--tests'], machine(...all.filter((name) => name !== 'chromium')))
  skip(work === undefined, 'the archives of this system have no chromium')
  expect(work?.outside).toEqual(['install system packages by apt-get: chromium fonts-dejavu-core'])
})
