/** The page of questions: what is short stands in front, and what proves it is folded. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Explained } from '../../../experiments/explain/explain.ts'
import { inShort } from '../../../experiments/explain/front.ts'
import { markdownOf } from '../../../experiments/explain/markdown.ts'
import { questions } from '../../../experiments/explain/questions.ts'
import { fromRepository } from '../../../tools/paths.ts'
import { provenance } from '../report/files.ts'

const explained = questions.map(({ number, question, answer, experiment }): Explained => ({
  number,
  question,
  answer,
  experiment,
  verdict: 'confirmed',
  claims: [{ claim: 'it is so', holds: true, because: 'it was seen' }],
  evidence: [
    { kind: 'evidence', title: 'What is there', lab: 'vxlan', runs: [{ command: 'true', output: '' }] },
  ],
  facts: {},
  asBefore: { claim: 'as before', holds: true, because: '' },
}))
const made = markdownOf({ provenance, lab: 'vxlan', explained })
const page = readFileSync(fromRepository('docs', 'questions.md'), 'utf8')
/** Columns of a table are padded by prettier. */
const frontOf = (text: string) =>
  text
    .slice(text.indexOf('## In short'), text.indexOf('## 1. '))
    .replaceAll(/ +/g, ' ')
    .replaceAll(/-{3,}/g, '---')

test.each(questions.map(({ number }) => number))(
  'question %i has a short answer, of two sentences',
  (number) => {
    expect(inShort[number]!.match(/[.](?= |$)/g)).toHaveLength(2)
  },
)

test('docs/questions.md begins as the generator writes it', () => expect(frontOf(page)).toBe(frontOf(made)))

test.each([
  ['what is made', made],
  ['docs/questions.md', page],
])('%s: the evidence of every question is folded, and nothing else', (_, text) => {
  const lines = text.split('\n')
  let isOpen = false
  for (const line of lines) {
    if (line === '<details>' || line === '</details>') {
      expect(isOpen).toBe(line === '</details>')
      isOpen = !isOpen
    }
    if (line.startsWith('### ')) expect(isOpen, line).toBe(true)
    if (line.startsWith('## ')) expect(isOpen, line).toBe(false)
  }
  expect(isOpen).toBe(false)
  expect(lines.filter((line) => line === '<details>')).toHaveLength(questions.length)
})
