import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planBrowser } from '../../tools/browser.ts'
import { temporaryFolder } from './temporary.ts'

/** A machine with apt-get and these programs, and nothing else. */
function machine(...programs: readonly string[]): NodeJS.ProcessEnv {
  const bin = join(temporaryFolder(), 'bin')
  mkdirSync(bin)
  for (const name of ['apt-get', ...programs])
    writeFileSync(join(bin, name), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  return { PATH: bin }
}

test('is installed for the tests only, and where it is missing', async ({ skip }) => {
  const there = machine('chromium')
  expect(await planBrowser(['--browser'], there)).toBeUndefined()
  expect(await planBrowser([], machine())).toBeUndefined()
  const work = await planBrowser(['--browser'], machine())
  skip(work === undefined, 'the archives of this system have no chromium')
  expect(work?.outside).toEqual(['install system packages by apt-get: chromium fonts-dejavu-core'])
})
