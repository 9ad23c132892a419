import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Cidr } from '../../inventory/values.ts'
import { flannelRules, iptablesModule } from '../../modules/iptables.ts'
import { phases, tableOf, type Batch, type Row, type Scope } from '../../modules/module.ts'
import type { Table } from '../../modules/state.ts'

const desired = tableOf(flannelRules({ network: '10.244.0.0/16' as Cidr, subnet: '10.244.35.0/24' as Cidr }))
const scope = (rows: Table, prior: Table = {}): Scope => ({
  desired: rows,
  prior,
  host: { nic: 'eth0', iptables: 'auto' },
  links: [],
})

test("flannel's rules are those of its dump", () => {
  const dump = readFileSync(new URL('iptables/flanneld.txt', import.meta.url), 'utf8')
  expect(iptablesModule.parse(dump, scope(desired))).toEqual(desired)
})

interface Case {
  name: string
  /** Lines of iptables-save. */
  saved: string[]
  desired: Record<string, string>
  prior?: Record<string, string>
  changes: string[]
  /** Phase -> lines for iptables-restore. */
  batches: Record<string, string[]>
}
const cases = JSON.parse(readFileSync(new URL('iptables/cases.json', import.meta.url), 'utf8')) as Case[]

test.each(cases)('$name', ({ saved, desired: rows, prior = {}, changes: expected, batches }) => {
  const of = scope(rows, prior)
  const changes = iptablesModule.diff(iptablesModule.parse(saved.join('\n'), of), rows)
  expect(changes.map(({ op, key }) => `${op} ${key}`)).toEqual(expected)
  expect(linesOf(iptablesModule.render(changes, of))).toEqual(batches)
})

describe('whatever a chain holds, one apply makes it as planned', () => {
  const rule = fc.constantFrom(
    '-s 1.1.1.1/32 -j RETURN',
    '-s 2.2.2.2/32 -j RETURN',
    '-s 3.3.3.3/32 -j RETURN',
    '-j ACCEPT',
  )
  const jump = '-m comment --comment "flanneld x" -j FLANNEL-X'
  const other = fc.constantFrom('-j MINE', '-s 9.9.9.9/32 -j ACCEPT')
  const builtIn = fc.array(fc.oneof(other, fc.constant(jump)), { maxLength: 5 })
  const plan = (rules: readonly string[]): Table =>
    rules.length === 0
      ? {}
      : tableOf([
          ...rules.map((line, at): Row => ({ key: `nat FLANNEL-X ${at + 1}`, line })),
          { key: 'nat POSTROUTING flanneld x', line: '-j FLANNEL-X' },
        ])

  test('and leaves the rules of others in their order', () => {
    fc.assert(
      fc.property(
        fc.option(fc.array(rule, { maxLength: 6 }), { nil: undefined }),
        builtIn,
        fc.array(rule, { maxLength: 6 }),
        (found, before, wanted) => {
          const start = found ? before : before.filter((one) => one !== jump)
          const chains = new Map<string, string[]>([['POSTROUTING', [...start]]])
          if (found) chains.set('FLANNEL-X', [...found])
          const of = scope(plan(wanted), plan(['-j ACCEPT']))
          const apply = (): void => {
            const changes = iptablesModule.diff(iptablesModule.parse(save(chains), of), of.desired)
            for (const lines of Object.values(linesOf(iptablesModule.render(changes, of))))
              restore(chains, lines)
          }
          apply()
          const after = chains.get('POSTROUTING')!
          // What overlab wrote last was the one rule `-j ACCEPT`: a chain that only has others is another flannel's.
          if (wanted.length === 0 && found && found.length > 0 && !found.includes('-j ACCEPT')) {
            expect(chains.get('FLANNEL-X')).toEqual(found)
            expect(after).toEqual(start)
            return
          }
          expect(chains.get('FLANNEL-X')).toEqual(wanted.length > 0 ? wanted : undefined)
          expect(after.filter((one) => one === jump)).toHaveLength(wanted.length > 0 ? 1 : 0)
          expect(after.filter((one) => one !== jump)).toEqual(start.filter((one) => one !== jump))
          expect(iptablesModule.diff(iptablesModule.parse(save(chains), of), of.desired)).toEqual([])
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('what another flannel has in the variant that is not used', () => {
  const own = '*nat\n:FLANNEL-POSTRTG - [0:0]\nother legacy\n'
  const rulesOf = (network: string, subnet: string) =>
    saved(tableOf(flannelRules({ network: network as Cidr, subnet: subnet as Cidr })))
  const foreign = rulesOf('10.42.0.0/16', '10.42.3.0/24')

  test.each([
    ['at first', {}],
    ['later', desired],
    [
      'after a refresh',
      Object.fromEntries(Object.entries(desired).map(([key, line]) => [`nft ${key}`, line])),
    ],
  ])("is none of overlab's, %s", (_, prior) => {
    const keys = Object.keys(iptablesModule.parse(own + foreign, scope(desired, prior)))
    expect(keys.filter((key) => key.startsWith('legacy '))).toEqual([])
    // Nor is it when the overlay goes.
    expect(iptablesModule.parse(own.replace('POSTRTG', 'X') + foreign, scope({}, prior))).toEqual({})
  })

  test('nor is what it has in the variant in use, when the overlay goes', () => {
    expect(iptablesModule.parse(foreign, scope({}, desired))).toEqual({})
  })

  test.each([
    ['by the last plan', desired],
    [
      'by a refresh',
      Object.fromEntries(Object.entries(desired).map(([key, line]) => [`legacy ${key}`, line])),
    ],
  ])('what overlab wrote there goes, known %s', (_, prior) => {
    const table = iptablesModule.parse(
      own + rulesOf('10.244.0.0/16', '10.244.35.0/24'),
      scope(desired, prior),
    )
    expect(Object.keys(table).filter((key) => key.startsWith('legacy '))).toHaveLength(
      Object.keys(desired).length,
    )
  })

  /** Rows as `iptables-save` prints them. */
  function saved(rows: Table): string {
    return ['filter', 'nat']
      .flatMap((table) => {
        const own = Object.entries(rows).filter(([key]) => key.startsWith(`${table} `))
        const chain = own.map(([key]) => key.split(' ')[1]!).find((name) => name.startsWith('FLANNEL-'))!
        return [
          `*${table}`,
          `:${chain} - [0:0]`,
          ...own.map(([key, line]) => {
            const [, name = '', ...comment] = key.split(' ')
            return name === chain
              ? `-A ${chain} ${line}`
              : `-A ${name} -m comment --comment "${comment.join(' ')}" ${line}`
          }),
        ]
      })
      .join('\n')
  }
})

test.each([
  [{ key: 'nat POSTROUTING 1', line: '-j ACCEPT' }, 'is not a jump'],
  [{ key: 'mangle FLANNEL-X 1', line: '-j ACCEPT' }, 'is not of the form "nat FLANNEL-POSTRTG 2"'],
  [{ key: 'nat KUBE-SERVICES 1', line: '-j ACCEPT' }, 'is not of the form'],
  [{ key: 'nat FLANNEL-X 1', line: '-j ACCEPT\nCOMMIT' }, 'is not a rule as iptables-save prints it'],
  [{ key: 'nat FLANNEL-X 1', line: '-m comment --comment "open -j ACCEPT' }, 'is not a rule'],
  [{ key: 'nat FLANNEL-X 1', line: '-j ACCEPT; reboot' }, 'is not a rule'],
  [{ key: 'nat FLANNEL-X 1', line: '-j $(reboot)' }, 'is not a rule'],
])('refuses %j', (row, message) => {
  const { success, error } = iptablesModule.row.safeParse(row)
  expect(success).toBe(false)
  expect(error!.issues[0]!.message).toContain(message)
})

test('takes its own rows as they are', () => {
  for (const [key, line] of Object.entries(desired))
    expect(iptablesModule.row.parse({ key, line })).toBe(line)
})

test.each([
  ['auto', 'iptables-save', 'iptables-restore'],
  ['nft', 'iptables-nft-save', 'iptables-nft-restore'],
  ['legacy', 'iptables-legacy-save', 'iptables-legacy-restore'],
] as const)('%s uses %s and %s', (iptables, saver, restorer) => {
  const of = { ...scope(desired), host: { nic: 'eth0', iptables } }
  expect(iptablesModule.probe(of)).toContain(`saved=$(${saver}) `)
  expect(iptablesModule.render(iptablesModule.diff({}, desired), of)[0]!.command).toContain(
    `${restorer} -w 10 --noflush`,
  )
})

function linesOf(batches: readonly Batch[]): Record<string, string[]> {
  return Object.fromEntries(
    phases.flatMap((phase) => {
      const lines = batches
        .filter((batch) => batch.phase === phase)
        .flatMap((batch) => batch.lines.map(({ text }) => text))
      return lines.length > 0 ? [[phase, lines]] : []
    }),
  )
}

function save(chains: ReadonlyMap<string, readonly string[]>): string {
  const own = [...chains.keys()]
    .filter((chain) => chain.startsWith('FLANNEL-'))
    .map((chain) => `:${chain} - [0:0]`)
  return [
    '*nat',
    ...own,
    ...[...chains].flatMap(([chain, rules]) => rules.map((rule) => `-A ${chain} ${rule}`)),
  ].join('\n')
}

/** A model of `iptables-restore --noflush` on one table; throws where the real one would. */
function restore(chains: Map<string, string[]>, lines: readonly string[]): void {
  for (const line of lines) {
    const [, option, name, rest = ''] = line.match(/^(-\w|[*:])\s?(\S+)\s?(.*)$/) ?? ['', 'COMMIT']
    if (option === '*' || option === 'COMMIT') continue
    if (option === ':') {
      chains.set(name!, [])
      continue
    }
    const chain = chains.get(name!)
    if (!chain) throw new Error(`no chain: ${line}`)
    const [, number = '', rule = ''] = rest.match(/^(\d+) ?(.*)$/) ?? []
    const at = Number(number) - 1
    if (option === '-A') chain.push(rest)
    else if (option === '-F') chain.length = 0
    else if (option === '-X') {
      const used = [...chains.values()].flat().some((one) => one.endsWith(`-j ${name}`))
      if (chain.length > 0 || used) throw new Error(`in use: ${line}`)
      chains.delete(name!)
    } else if (option === '-I') {
      if (at > chain.length) throw new Error(`no such position: ${line}`)
      chain.splice(at, 0, rule)
    } else if (option === '-R' || (option === '-D' && number)) {
      if (at >= chain.length) throw new Error(`no such position: ${line}`)
      chain.splice(at, 1, ...(option === '-R' ? [rule] : []))
    } else if (option === '-D') {
      const found = chain.indexOf(rest)
      if (found < 0) throw new Error(`no such rule: ${line}`)
      chain.splice(found, 1)
    } else throw new Error(`unknown: ${line}`)
  }
}
