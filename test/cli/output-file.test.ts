import { expect, test } from 'vitest'
import { checkEnding } from '../../cli/output-file.ts'

test.each([
  'samples.json',
  'samples.JSON',
  'samples',
  'samples.2026-11-27',
  '/dev/stdout',
  '.',
  'a.csv/samples',
])('%s may hold JSON', (file) => expect(() => checkEnding(file, '--output', ['.json'], 'JSON')).not.toThrow())

test.each([
  [
    'samples.csv',
    '--output samples.csv: this verb writes JSON, no .csv file; choose a name that ends in .json',
  ],
  ['a/b.HTML', '--output a/b.HTML: this verb writes JSON, no .html file; choose a name that ends in .json'],
])('%s promises another form', (file, said) =>
  expect(() => checkEnding(file, '--output', ['.json'], 'JSON')).toThrow(said),
)
