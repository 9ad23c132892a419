/** Whole traces of real recordings: the text a learner reads, and the diagram. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mermaidOf } from '../../../experiments/trace/mermaid.ts'
import { textOf } from '../../../experiments/trace/text.ts'
import { traceOf } from '../../../experiments/trace/trace.ts'
import { recorded, recordingOf } from './recorded.ts'

describe.each(recorded)('%s', (backend) => {
  const { plan, observed, from, to } = recordingOf(backend)
  const trace = traceOf(plan, observed, from, to)
  const golden = (name: string) => join(import.meta.dirname, backend, name)

  test('text', async () => {
    await expect(`${textOf(trace)}\n`).toMatchFileSnapshot(golden('trace.txt'))
  })

  test('diagram', async () => {
    await expect(`${mermaidOf(trace)}\n`).toMatchFileSnapshot(golden('trace.mmd'))
  })

  test('the packet was captured wherever it was on the wire, and nothing is said to be amiss', () => {
    expect(trace.steps.filter(({ topic }) => topic === 'wire')).toHaveLength(4)
    for (const step of trace.steps) {
      expect(step.notCaptured, `${step.actor} ${step.topic}`).toBeUndefined()
      expect(step.fault).toBeUndefined()
      expect(step.differs).toBeUndefined()
    }
    expect(trace.verdict.arrived).toBe(true)
  })

  test('every entry has an owner, and every step on a host a command that shows the same', () => {
    for (const step of trace.steps) {
      expect(step.by === undefined).toBe(step.entry === undefined)
      expect(step.see).toMatch(/^\.\/overlab exec node[12](-pod1)? -- /)
    }
  })
})
