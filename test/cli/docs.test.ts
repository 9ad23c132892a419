import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verbs } from '../../cli/verbs.ts'
import { kinds } from '../../experiments/kinds.ts'

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'cli.md'), 'utf8')

test.each(Object.keys(verbs))('the page has a section of %s', (verb) => {
  expect(page).toMatch(new RegExp(`^## .*\`${verb}\``, 'm'))
})
test.each(Object.keys(kinds))('the page names the kind %s', (kind) => expect(page).toContain(`\`${kind}\``))
test('the page shows the help as it is', () => {
  expect(page).toContain(readFileSync(join(import.meta.dirname, 'help', 'overlab.txt'), 'utf8').trim())
})
