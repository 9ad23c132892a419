import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { expandRanges } from '../../inventory/ranges.ts'

const cases = JSON.parse(readFileSync(new URL('ranges.json', import.meta.url), 'utf8')) as [
  string,
  string[],
][]

describe('ranges of host names', () => {
  it.each(cases)('%s', (pattern, names) => expect(expandRanges(pattern)).toEqual({ names }))

  it.each([
    'n[1:',
    'n1]',
    'n[2:1]',
    'n[a:1]',
    'n[]',
    'n[1:2:0]',
    'n[1:2:-1]',
    'n[1:1025]',
    'n[1:99999999999999999]',
    'n[[1:2]]',
  ])('%s is wrong', (pattern) => expect(expandRanges(pattern)).toHaveProperty('what'))
})
