/** flannel's chains in the real kernel, in a namespace of their own, by both families of tools. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Cidr } from '../../inventory/values.ts'
import { flannelRules, iptablesModule } from '../../modules/iptables.ts'
import { tableOf } from '../../modules/module.ts'
import { apply, current, kernel, scope, type Kernel } from '../support/kernel.ts'

const network = '10.244.0.0/16' as Cidr
const subnet = '10.244.35.0/24' as Cidr
const desired = tableOf(flannelRules({ network, subnet }))

/** The lines of a dump that are flannel's. */
function flannelLines(save: string): string[] {
  return save.split('\n').filter((line) => /FLANNEL-/.test(line))
}

const own = '-A POSTROUTING -s 172.16.0.0/12 -m comment --comment "mine; it is" -j MASQUERADE'

describe.each(['nft', 'legacy'] as const)('iptables-%s', (iptables) => {
  const of = (rows = desired, prior = desired): ReturnType<typeof scope> => scope(rows, prior, { iptables })
  const save = async (options = ''): Promise<string> => on.sh(`iptables-${iptables}-save ${options}`)
  let on: Kernel
  beforeEach(async () => {
    on = await kernel()
  })
  afterEach(() => on.close())

  test('equals what flanneld leaves', async () => {
    await apply(on, iptablesModule, of())
    const dump = readFileSync(new URL('../modules/iptables/flanneld.txt', import.meta.url), 'utf8')
    expect(flannelLines((await save('-t filter')) + (await save('-t nat')))).toEqual(flannelLines(dump))
    expect(await current(on, iptablesModule, of())).toEqual(desired)
    expect(await apply(on, iptablesModule, of())).toEqual([])
  })

  test('a probe makes no table', async () => {
    const before = await on.sh('cat /proc/net/ip_tables_names; iptables-nft-save')
    await current(on, iptablesModule, of())
    expect(await on.sh('cat /proc/net/ip_tables_names; iptables-nft-save')).toEqual(before)
  })

  test('one missing rule is put back alone, and the counters of the others stay', async () => {
    await apply(on, iptablesModule, of())
    // Something for the counters: a packet through POSTROUTING.
    await on.sh('ping -c1 -W1 127.0.0.1 >/dev/null')
    await on.sh(`iptables-${iptables} -t nat -D FLANNEL-POSTRTG 3`)
    const before = flannelLines(await save('-c'))
    const changes = await apply(on, iptablesModule, of())
    expect(changes.map(({ op, key }) => [op, key])).toEqual([['add', 'nat FLANNEL-POSTRTG 3']])
    const after = flannelLines(await save('-c'))
    expect(after.filter((line) => before.includes(line))).toEqual(before)
    expect(after).toHaveLength(before.length + 1)
  })

  test.each([
    [
      'a foreign rule in our chain',
      't -I FLANNEL-POSTRTG 2 -s 1.2.3.4/32 -j ACCEPT',
      ['delete nat FLANNEL-POSTRTG 1+1'],
    ],
    [
      'a rule twice',
      't -A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN',
      ['delete nat FLANNEL-POSTRTG 6+1'],
    ],
    ['a changed rule', 't -R FLANNEL-POSTRTG 2 -s 1.2.3.4/32 -j ACCEPT', ['change nat FLANNEL-POSTRTG 2']],
    [
      'a missing jump',
      't -D POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
      ['add nat POSTROUTING flanneld masq'],
    ],
    [
      'a jump twice',
      't -A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
      ['delete nat POSTROUTING flanneld masq +2'],
    ],
    [
      'a jump without a comment, and one with an odd one',
      't -A POSTROUTING -j FLANNEL-POSTRTG; for comment in FLANNEL-POSTRTG "it\'s \\"q\\""; do iptables-$0 -t nat -A POSTROUTING -m comment --comment "$comment" -j FLANNEL-POSTRTG; done',
      ['', ' +2', ' +3'].map((nth) => `delete nat POSTROUTING FLANNEL-POSTRTG${nth}`),
    ],
    [
      'a jump of another kind',
      't -A POSTROUTING -s 9.9.9.9/32 -j FLANNEL-POSTRTG',
      ['delete nat POSTROUTING FLANNEL-POSTRTG'],
    ],
    [
      'an emptied chain',
      't -F FLANNEL-POSTRTG',
      [1, 2, 3, 4, 5, 6].map((at) => `add nat FLANNEL-POSTRTG ${at}`),
    ],
  ])('%s is a difference, and is put right', async (_, act, expected) => {
    await on.sh(`iptables-${iptables} -t nat ${own}`)
    await apply(on, iptablesModule, of())
    const before = await save()
    await on.sh(`iptables-${iptables} -t na${act.replace('$0', iptables)}`)
    const changes = await apply(on, iptablesModule, of())
    expect(changes.map(({ op, key }) => `${op} ${key}`)).toEqual(expected)
    expect(withoutDates(await save())).toEqual(withoutDates(before))
    expect(await apply(on, iptablesModule, of())).toEqual([])
  })

  test('the rules of others, their order, policies and counters stay', async () => {
    await on.sh(
      `iptables-${iptables} -P FORWARD DROP; iptables-${iptables} -t nat ${own}; iptables-${iptables} -N MINE; iptables-${iptables} -A MINE -j DROP; iptables-${iptables} -A FORWARD -i lo -j MINE`,
    )
    const before = await save()
    await apply(on, iptablesModule, of(desired, {}))
    await on.sh(`iptables-${iptables} -t nat -A POSTROUTING -o lo -j ACCEPT`)
    const others = '10.250.0.0/24' as Cidr
    await apply(on, iptablesModule, of(tableOf(flannelRules({ network, subnet: others }))))
    expect(await save()).toContain('-s 10.244.0.0/16 -d 10.250.0.0/24')
    await on.sh(`iptables-${iptables} -t nat -D POSTROUTING -o lo -j ACCEPT`)
    await apply(on, iptablesModule, of({}))
    expect(withoutDates(await save())).toEqual(withoutDates(before))
    expect(await apply(on, iptablesModule, of({}))).toEqual([])
  })

  test("where nothing is planned, the chains are somebody else's", async () => {
    await apply(on, iptablesModule, of())
    expect(await current(on, iptablesModule, of({}, {}))).toEqual({})
  })
})

describe.each([
  ['nft', 'legacy'],
  ['legacy', 'nft'],
  ['legacy', 'auto'],
] as const)('from %s to %s', (before, after) => {
  test('nothing is left in the variant before but what others have there', async () => {
    const on = await kernel()
    try {
      await on.sh(`iptables-${before} -t nat ${own}`)
      const start = await on.sh(`iptables-${before}-save`)
      await apply(on, iptablesModule, scope(desired, {}, { iptables: before }))
      // An empty chain is left by what was cut in between.
      await on.sh(`iptables-${before} -F FLANNEL-FWD; iptables-${before} -t nat -N FLANNEL-OTHER`)
      const of = scope(desired, desired, { iptables: after })
      const changes = await apply(on, iptablesModule, of)
      expect(changes.filter(({ op }) => op === 'delete').map(({ key }) => key)).toContain(
        `${before} filter FLANNEL-FWD 0`,
      )
      expect(await apply(on, iptablesModule, of)).toEqual([])
      await on.sh(`iptables-${before} -t nat -X FLANNEL-OTHER`)
      expect(await on.sh(`iptables-${before}-save | grep -E '^-A|FLANNEL'`)).toBe(
        start
          .split('\n')
          .filter((line) => line.startsWith('-A'))
          .join('\n') + '\n',
      )
      await apply(on, iptablesModule, scope({}, desired, { iptables: after }))
      expect(await on.sh('iptables-nft-save; iptables-legacy-save')).not.toContain('FLANNEL')
    } finally {
      await on.close()
    }
  })
})

test('a host whose iptables-save fails is not read as empty', async () => {
  const on = await kernel()
  try {
    const { code, stderr } = await on.run(
      `setpriv --reuid=65534 --clear-groups sh <<'END'\n${iptablesModule.probe(scope(desired))}\nEND`,
    )
    expect(code).not.toBe(0)
    expect(stderr).toContain('Permission denied')
  } finally {
    await on.close()
  }
})

test('a host without iptables is read as empty, and told what to install', async () => {
  const on = await kernel()
  try {
    const of = scope(desired)
    expect(await on.sh(`PATH=/nowhere; ${iptablesModule.probe(of)}`)).toBe('')
    const [batch] = iptablesModule.render(iptablesModule.diff({}, desired), of)
    const { code, stderr } = await on.run(`PATH=/nowhere; ${batch!.command} </dev/null`)
    expect({ code, stderr }).toEqual({
      code: 127,
      stderr: 'iptables-restore is missing; install the package iptables\n',
    })
  } finally {
    await on.close()
  }
})

function withoutDates(save: string): string {
  return save.replace(/^#.*$/gm, '')
}
