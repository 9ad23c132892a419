import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dangerous } from '../../support/dangerous.ts'
import { failure, reached, startPlugin, urnOf } from './plugin.ts'
import type { StartedPlugin } from './plugin.ts'

const type = 'example:index:Thing'
const file = join(import.meta.dirname, 'example.ts')
let plugin: StartedPlugin
beforeAll(async () => {
  plugin = await startPlugin(file)
})
afterAll(() => plugin.stop())

test('create gets what the engine says, and its log is there before the answer', async () => {
  const { id, outputs } = await plugin.create(type, { size: 1 }, { preview: true })
  expect({ id, outputs }).toEqual({ id: 'id', outputs: { size: 1, name: 'name', type, preview: true } })
  expect(plugin.logs.at(-1)).toEqual({
    severity: 'warning',
    message: 'made',
    urn: urnOf(type),
    ephemeral: false,
  })
})

test('check fills in inputs and names the property', async () => {
  expect(await plugin.check(type, { bad: true })).toEqual({
    inputs: { size: 1, bad: true },
    failures: { 'hosts.node1': 'no such host' },
  })
})

test('without a diff of its own, each changed input is an update', async () => {
  expect(await plugin.diff(type, { a: 1 }, { a: 2 })).toEqual({
    changes: 'some',
    detailed: { a: 'update' },
    replaces: [],
    deleteBeforeReplace: false,
  })
  expect((await plugin.diff(type, { a: 1 }, { a: 1 })).changes).toBe('none')
})

test('read: the live state, or no id for what is gone', async () => {
  expect(await plugin.read(type, 'id', { a: 1 }, {})).toEqual({ id: 'id', outputs: { a: 1, live: true } })
  expect(await plugin.read(type, 'id', { gone: true }, {})).toEqual({ id: '', outputs: {} })
})

test('an error is its message, without a stack', async () => {
  expect(await failure(plugin.create(type, { act: 'fail' }))).toBe('plain words')
  expect(await failure(plugin.delete(type, 'id', {}))).toBe('still in use')
  expect(await failure(plugin.update(type, 'id', {}, {}))).toBe(
    'example:index:Thing cannot be updated, only replaced',
  )
  expect(await failure(plugin.create('example:index:Other', {}))).toBe(
    'example 3.2.1 has no resource type example:index:Other',
  )
  expect(await failure(plugin.invoke('example:index:toString', {}))).toBe(
    'example 3.2.1 has no function example:index:toString',
  )
})

test('a partial failure carries the state that was reached', async () => {
  const error: unknown = await plugin.create(type, { act: 'half' }).catch((thrown: unknown) => thrown)
  expect(reached(error)).toEqual({
    id: 'half-id',
    outputs: { act: 'half', done: ['node1'] },
    reasons: ['node2: down', 'node3: down'],
  })
})

test('cancel aborts what is in progress, not what comes after', async () => {
  const waiting = failure(plugin.create(type, { act: 'wait' }))
  while (plugin.logs.at(-1)?.message !== 'waiting') await sleep(5)
  await plugin.cancel()
  expect(await waiting).toBe('cancelled by the user')
  expect((await plugin.create(type, {})).id).toBe('id')
})

test('an error outside of any call fails the calls in progress, not the process', async () => {
  const waiting = failure(plugin.create(type, { act: 'wait' }))
  expect(await failure(plugin.create(type, { act: 'escape' }))).toBe('escaped')
  expect(await waiting).toBe('escaped')
  expect((await plugin.create(type, {})).id).toBe('id')
})

test('what a host said reaches the engine harmless: in logs, errors, reasons and mistakes', async () => {
  const said = ` \x1b[2J\u202e\x9b\r\nnode9: ok ${'x'.repeat(20_000)}`
  const half: unknown = await plugin.create(type, { act: 'half', said }).catch((thrown: unknown) => thrown)
  const texts = [
    ...Object.values((await plugin.check(type, { bad: true, said })).failures),
    await failure(plugin.create(type, { act: 'fail', said })),
    ...(reached(half)?.reasons ?? []),
  ]
  await plugin.create(type, { said })
  texts.push(plugin.logs.at(-1)!.message)
  expect(texts).toHaveLength(5)
  for (const text of texts) {
    expect(text).not.toMatch(dangerous)
    expect(text.length).toBeLessThan(5000)
  }
  expect(texts.at(-1)).toMatch(/^made \\u001b\[2J\\u202e\\u009b\\r\nnode9: ok x+ \.\.\. \(cut\)$/)
})
