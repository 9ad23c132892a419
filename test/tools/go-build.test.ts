import { describe, expect, test } from 'vitest'
import { isOldGo } from '../../tools/go-build.ts'

describe('is this Go too old?', () => {
  test.each([
    ['go1.26.8', 'local', '1.25.11', false],
    ['go1.25.11', 'local', '1.25.11', false],
    ['go1.25.9', 'local', '1.25.11', true],
    ['go1.22.2', 'auto', '1.25.11', false],
    ['go1.22.2', 'local', '1.25.11', true],
    ['go1.19.8', '', '1.25.11', true],
    ['go2.0', 'local', '1.25.11', false],
    ['', '', '1.25.11', true],
  ])('%s, GOTOOLCHAIN %s, wanted %s: %s', (version, toolchain, wanted, old) => {
    expect(isOldGo(version, toolchain, wanted)).toBe(old)
  })
})
