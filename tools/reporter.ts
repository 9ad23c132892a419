/**
 * Vitest reporter that closes a run: every skipped test with its reason, then one line `N passed, N failed`
 * (`, N skipped` where there are any). A file that cannot be loaded and an error outside all tests count as failed.
 * `$OVERLAB_TEST_COUNTS` names a file for the same numbers as JSON.
 */
import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      // Errors of a file or of a describe block, outside its tests (an import that fails, a beforeAll that throws).
      const suites = [module, ...module.children.allSuites()]
      counts.failed += suites.filter((suite) => suite.errors().length > 0).length
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') counts.passed++
        else if (result.state === 'failed') counts.failed++
        else {
          const note = result.state === 'skipped' ? result.note : 'did not run'
          console.log(`skipped: ${module.relativeModuleId} > ${test.fullName}: ${note ?? 'no reason given'}`)
          counts.skipped++
        }
      }
    }
    // A run without any test proves nothing.
    if (counts.passed + counts.failed + counts.skipped === 0) counts.failed = 1
    const file = process.env['OVERLAB_TEST_COUNTS']
    if (file) writeFileSync(file, JSON.stringify(counts))
    console.log(closingLine(counts))
  }
}
