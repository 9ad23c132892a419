/** A folder for one test, removed when the test ends. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'overlab-tools-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
