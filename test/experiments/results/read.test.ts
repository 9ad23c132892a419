import { expect, test } from 'vitest'
import { readComparison, readSurvival, ResultError } from '../../../experiments/results/read.ts'
import { comparisonFile, survivalFile } from '../report/files.ts'

test('what the producers write', () => {
  expect(readComparison(JSON.stringify(comparisonFile()))).toEqual(comparisonFile())
  expect(readSurvival(JSON.stringify(survivalFile()))).toEqual(survivalFile())
})

/** A comparison with one place of it changed; `undefined` takes the key away. */
function changed(
  place: readonly (string | number)[],
  value: unknown,
  file: object = comparisonFile(),
): string {
  const copy = structuredClone(file)
  let at = copy as Record<string | number, unknown>
  for (const key of place.slice(0, -1)) at = at[key] as typeof at
  at[place.at(-1)!] = value
  return JSON.stringify(copy)
}

const anew = './overlab compare makes it anew'
test.each<[string, string, string, string]>([
  ['an empty file', '', 'is empty', anew],
  ['half a file', '{"kind": "overlab.comp', 'is no JSON, or not all of it: Unterminated string in JSON at position 22 (line 1 column 23)', anew],
  ['another text', 'root:x:0:0:secret', "is no JSON, or not all of it: Unexpected token 'r'", anew],
  ['another JSON', '[1]', 'kind: must be overlab.comparison, is missing', 'name the file that overlab compare wrote'],
  ['the other kind', JSON.stringify(survivalFile()), 'kind: this is what overlab survive writes, not overlab compare', 'are the two files exchanged?'],
  ['an older file', changed(['version'], 0), 'version: this overlab reads version 1, not 0', anew],
  ['no version', changed(['version'], undefined), 'version: this overlab reads version 1, not missing', anew],
  ['a newer file', changed(['version'], 2), 'version: this overlab reads version 1, not 2', 'use the overlab that wrote it'],
  ['a text for a number', changed(['samples', 3, 'value'], '12'), 'samples[3].value: expected number, received string', anew],
  ['a key too many', changed(['provenance', 'HOME'], '/home/ana'), 'provenance: Unrecognized key: "HOME"', anew],
  ['a key too few', changed(['metrics', 0, 'unit'], undefined), 'metrics[0].unit: expected string, received undefined', anew],
  ['an unknown variant', changed(['samples', 9, 'variant'], 'vxlam'), 'samples[9].variant: the file has no variant vxlam; did you mean vxlan?', anew],
  ['an unknown metric', changed(['samples', 9, 'metric'], 'tcp-2'), 'samples[9].metric: the file has no metric tcp-2; did you mean tcp-1?', anew],
  ['a sample twice', changed(['samples', 1, 'round'], 1), 'samples[1]: is there twice, as samples[0] too', anew],
  ['a variant twice', changed(['variants', 1, 'name'], 'underlay'), 'variants[1]: is there twice, as variants[0] too', anew],
])('%s', (_, text, message, todo) => {
  expect(() => readComparison(text)).toThrow(ResultError)
  try {
    readComparison(text)
  } catch (error) {
    expect((error as Error).message.split('\n')[0]).toBe(message)
    expect((error as ResultError).todo).toBe(todo)
  }
}) // prettier-ignore

test('of many mistakes five are told', () => {
  const file = comparisonFile()
  const text = JSON.stringify({ ...file, samples: file.samples.map((sample) => ({ ...sample, round: 0 })) })
  expect(() => readComparison(text)).toThrow(
    new RegExp(`^samples\\[0\\]\\.round: .*\\n  samples\\[1\\].*(\\n  .*){3}\\n  and ${file.samples.length - 5} more$`),
  ) // prettier-ignore
})

test.each<[string, string, string]>([
  ['an unknown fault', changed(['cells', 0, 'fault'], 'kill', survivalFile()), 'cells[0].fault: the file has no fault kill; use one of'],
  ['more lost than sent', changed(['cells', 3, 'lost'], 9999, survivalFile()), 'cells[3].lost: is 9999, more than the 3600 that were sent'],
  ['a cell twice', changed(['cells', 1, 'variant'], 'vxlan', survivalFile()), 'cells[1]: is there twice, as cells[0] too'],
  ['an outcome that there is not', changed(['cells', 3, 'heals'], 'soon', survivalFile()), 'cells[3].heals: Invalid option'],
])('of a matrix: %s', (_, text, message) => expect(() => readSurvival(text)).toThrow(message)) // prettier-ignore
