/** Tables of cases, a file a case: what a tool answered, what is wanted, what must change and what is fed to which tool. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { moduleOf } from '../../modules/all.ts'
import type { Phase, Scope } from '../../modules/module.ts'
import type { Table, TableName } from '../../modules/state.ts'

interface Case {
  readonly says: string
  /** Of the probe; JSON as it is, other output as one string. */
  readonly answer: unknown
  readonly desired: Table
  readonly prior?: Table
  readonly links?: readonly string[]
  readonly current: Table
  /** `add KEY`, in order. */
  readonly changes: readonly string[]
  /** Phase, command, lines. */
  readonly batches: readonly (readonly [Phase, string, ...string[]])[]
}

const folders: Readonly<Record<string, TableName>> = {
  link: 'links',
  address: 'addresses',
  route: 'routes',
  neighbour: 'neighbours',
  fdb: 'fdb',
  sysctl: 'sysctls',
  fou: 'fou',
  impairment: 'impairments',
}

describe.for(Object.entries(folders))('%s', ([folder, tableName]) => {
  const module = moduleOf(tableName)
  const files = readdirSync(new URL(`${folder}/`, import.meta.url)).filter((file) => file.endsWith('.json'))
  it.for(files)('%s', (file) => {
    const one = JSON.parse(readFileSync(new URL(`${folder}/${file}`, import.meta.url), 'utf8')) as Case
    const scope: Scope = {
      desired: one.desired,
      prior: one.prior ?? {},
      links: one.links ?? [],
      host: { nic: 'eth0', iptables: 'auto' },
    }
    const answer = typeof one.answer === 'string' ? one.answer : JSON.stringify(one.answer)
    const current = module.parse(answer, scope)
    expect(current, one.says).toEqual(one.current)

    const changes = module.diff(current, one.desired)
    expect(changes.map((change) => `${change.op} ${change.key}`)).toEqual(one.changes)

    const batches = module.render(changes, scope).filter((batch) => batch.lines.length > 0)
    expect(
      batches.map(({ phase, command, lines }) => [phase, command, ...lines.map((line) => line.text)]),
    ).toEqual(one.batches)
    for (const batch of batches) for (const line of batch.lines) expect(changes).toContain(line.change)

    for (const [key, line] of Object.entries(one.desired)) expect(module.row.parse({ key, line })).toBe(line)
  })
})
