import { PassThrough } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { progress } from '../../cli/progress.ts'
import { oneLine } from '../../tools/one-line.ts'
import { show } from '../../tools/progress.ts'
import type { Task } from '../../tools/work.ts'

test.each([
  ['fits', 10, 'fits'],
  ['it fits so', 10, 'it fits so'],
  ['installing packages', 15, 'installing…'],
  ['installing packages', 11, 'installing…'],
  ['node1, node2, node3', 13, 'node1, node2…'],
  ['a /very/long/path/of/something', 12, 'a /very/lon…'],
  ['one', 1, '…'],
])('%j in %i columns: %j', (text, columns, line) => {
  expect(oneLine(text, columns)).toBe(line)
  expect(line.length).toBeLessThanOrEqual(columns)
})

const long = 'measuring throughput between pods of different machines, round three of seven, cell forty-two'

test('progress of a verb: whole words, and the time after them', () => {
  const { isTTY, columns } = process.stderr
  Object.assign(process.stderr, { isTTY: true, columns: 80 })
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const say = progress('compare')
    say(long)
    const drawn = String(write.mock.calls[0]![0]).replace('\r\u001b[K', '')
    say()
    expect(drawn).toMatch(/^compare: measuring .*[a-z]… \(\d+\.\d s\)$/)
    expect(drawn.length).toBeLessThan(80)
    expect(long.split(/[ ,]+/)).toContain(/(\S+)… \(/.exec(drawn)![1])
  } finally {
    write.mockRestore()
    Object.assign(process.stderr, { isTTY, columns })
  }
})

test('progress of set-up: whole words', async () => {
  const out = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
  const lines: string[] = []
  out.on('data', (chunk: Buffer) => lines.push(chunk.toString()))
  const drawn = () => lines.find((line) => line.includes('throughput'))
  const task: Task = {
    title: 'working',
    run: async (tell) => {
      tell(long)
      await vi.waitFor(() => expect(drawn()).toBeDefined(), { timeout: 20_000 })
    },
  }
  await show(task, out as unknown as NodeJS.WriteStream)
  const line = drawn()!.replace('\r\u001b[K', '')
  expect(line.length).toBeLessThan(80)
  expect(long.split(/[ ,]+/)).toContain(/(\S+)…$/.exec(line)?.[1])
})
