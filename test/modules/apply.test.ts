/** Scripts, their answers and failures; pure, by a Session that answers what it is told. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { modules } from '../../modules/all.ts'
import { scriptOf, stepsOf } from '../../modules/apply-script.ts'
import {
  applyChanges,
  applyScript,
  diffState,
  parseProbe,
  probe,
  probeScript,
  type HostPlan,
} from '../../modules/apply.ts'
import { phases, type Change } from '../../modules/module.ts'
import type { HostState, Table } from '../../modules/state.ts'
import type { Result } from '../../remote/script.ts'
import { hostState } from './states.ts'

const planOf = (desired: HostState, prior: HostState = {}): HostPlan => ({
  desired,
  prior,
  facts: { nic: 'eth0', iptables: 'auto' },
})
const answering = (result: Partial<Result>, seen: string[] = []) => ({
  target: { name: 'node1', host: '127.0.0.1', port: 22, user: 'root', identityFile: '', hostKey: '' },
  run: (script: string): Promise<Result> => {
    seen.push(script)
    return Promise.resolve({ stdout: '', stderr: '', exitCode: 0, ...result })
  },
})

describe('diffState', () => {
  /** A host as a value: what a change says is done, and what the kernel does of itself. A sysctl cannot be taken back. */
  function applied(state: HostState, changes: readonly Change[]): HostState {
    const tables: Record<string, Record<string, string>> = structuredClone(state)
    const forget = (table: string, dev: string): void => {
      for (const [key, line] of Object.entries(tables[table] ?? {}))
        if (` ${key} ${line} `.includes(` dev ${dev} `) || key.includes(`/${dev}/`))
          delete tables[table]![key]
    }
    for (const change of changes) {
      const table = (tables[change.table] ??= {})
      if (change.op === 'delete') delete table[change.key]
      else table[change.key] = change.to
      if (change.table !== 'links' || change.op !== 'change') continue
      const words = (line: string, pattern: RegExp) => line.match(pattern)?.[0]
      if (words(change.from, /dstport \d+/) !== words(change.to, /dstport \d+/))
        for (const lost of ['addresses', 'neighbours', 'fdb', 'sysctls', 'routes']) forget(lost, change.key)
      if (words(change.from, /address \S+/) !== words(change.to, /address \S+/))
        forget('neighbours', change.key)
    }
    return tables
  }
  const known = (state: HostState, keys: HostState): HostState => ({
    ...state,
    sysctls: Object.fromEntries(
      Object.entries(state.sysctls ?? {}).filter(([key]) => key in (keys.sysctls ?? {})),
    ),
  })

  it('leads from any state to any other, and from none to itself', () => {
    fc.assert(
      fc.property(hostState, hostState, (a, b) => {
        expect(known(applied(a, diffState(a, b)), b)).toEqual(b)
        expect(diffState(b, b)).toEqual([])
      }),
    )
  })

  it('of a link made anew puts back what was on it', () => {
    const vxlan =
      'vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning mtu 1450 address 0a:58:0a:f4:01:02'
    const rest: HostState = {
      addresses: {
        '10.1.1.0/32 dev flannel.1': 'scope global',
        '10.1.1.0/32 dev flannel.10': 'scope global',
      },
      neighbours: { '10.1.2.0 dev flannel.1': 'lladdr 0a:58:0a:f4:01:03' },
      fdb: { '0a:58:0a:f4:01:03 dev flannel.1': 'dst 192.168.77.2' },
      sysctls: { 'net/ipv6/conf/flannel.1/accept_ra': '0', 'net/ipv4/ip_forward': '1' },
      routes: {
        '10.1.2.0/24': 'via 10.1.2.0 dev flannel.1 onlink',
        '10.1.3.0/24': 'via 192.168.77.3 dev eth0',
      },
    }
    const changes = diffState(
      { ...rest, links: { 'flannel.1': vxlan.replace('8472', '4789') } },
      { ...rest, links: { 'flannel.1': vxlan } },
    )
    expect(changes.map(({ op, key }) => `${op} ${key}`)).toEqual([
      'change flannel.1',
      'add 10.1.1.0/32 dev flannel.1',
      'add 10.1.2.0 dev flannel.1',
      'add 0a:58:0a:f4:01:03 dev flannel.1',
      'add net/ipv6/conf/flannel.1/accept_ra',
      'add 10.1.2.0/24',
    ])
  })

  it('of a bridge made anew puts its pods back on it', () => {
    const pods: Table = {
      'node1-pod1': '10.1.1.2/24 via 10.1.1.1 dev cni0 mtu 1450 address 0a:58:0a:f4:01:03',
    }
    const bridge = 'bridge mtu 1450 address 0a:58:0a:f4:01:02'
    const changes = diffState(
      { links: { cni0: bridge.replace('bridge', 'macvlan') }, pods },
      { links: { cni0: bridge }, pods },
    )
    expect(changes[1]).toMatchObject({
      op: 'change',
      from: '10.1.1.2/24 via 10.1.1.1 dev nothing mtu 1450 address 0a:58:0a:f4:01:03',
    })
  })
})

describe('the apply script', () => {
  const desired: HostState = {
    links: { cni0: 'bridge mtu 1450 address 0a:58:0a:f4:01:02' },
    addresses: { '10.1.1.1/24 dev cni0': 'brd 10.1.1.255 scope global' },
    neighbours: { '10.1.2.0 dev flannel.1': 'lladdr 0a:58:0a:f4:01:03' },
    fdb: { '0a:58:0a:f4:01:03 dev flannel.1': 'dst 192.168.77.2' },
    sysctls: { 'net/ipv4/ip_forward': '1' },
    routes: { '10.1.2.0/24': 'via 10.1.2.0 dev flannel.1 onlink' },
  }

  it('feeds each tool once where it can, and reads like this', () => {
    expect(applyScript(diffState({}, desired), planOf(desired), phases)).toBe(`export LC_ALL=C
begin() { printf '@overlab step %s\\n' "$1" >&2; }
failed() { printf '@overlab step %s exit %s\\n' "$1" "$2"; exit 1; }
# prepare: links, addresses, neighbours
begin 0
ip -batch - >&2 <<'END' || failed 0 $?
link add cni0 mtu 1450 address 0a:58:0a:f4:01:02 type bridge
link set cni0 alias overlab up
address replace 10.1.1.1/24 dev cni0 brd 10.1.1.255 scope global
neigh replace 10.1.2.0 lladdr 0a:58:0a:f4:01:03 nud permanent protocol 79 dev flannel.1
END
# prepare: fdb
begin 1
bridge -batch - >&2 <<'END' || failed 1 $?
fdb replace 0a:58:0a:f4:01:03 dev flannel.1 dst 192.168.77.2 self permanent
END
# prepare: sysctls
begin 2
sh -e >&2 <<'END' || failed 2 $?
trap 'code=$?; [ $code -eq 0 ] || echo "Command failed -:$line" >&2' EXIT
line=1
echo '1' >/proc/sys/net/ipv4/ip_forward
END
# switch: routes
begin 3
ip -batch - >&2 <<'END' || failed 3 $?
route replace 10.1.2.0/24 via 10.1.2.0 dev flannel.1 onlink proto 79
END
printf '@overlab done\\n'
`)
  })

  it('goes back in the reverse order', () => {
    const steps = stepsOf(diffState(desired, {}), planOf({}, desired), phases)
    expect(steps.map(({ command, tables }) => `${command} ${tables.join(' ')}`)).toEqual([
      'ip -batch - routes',
      'bridge -batch - fdb',
      'ip -batch - neighbours addresses links',
    ])
  })

  it('holds the phases that are asked for, no other', () => {
    const changes = diffState(
      { routes: desired.routes!, fdb: desired.fdb! },
      { addresses: desired.addresses! },
    )
    const of = (...wanted: Parameters<typeof stepsOf>[2]) =>
      stepsOf(changes, planOf({}), wanted).flatMap((step) => step.tables)
    expect([of('prepare'), of('switch'), of('sweep'), of(...phases)]).toEqual([
      ['addresses'],
      ['routes'],
      ['fdb'],
      ['addresses', 'routes', 'fdb'],
    ])
  })

  it('has no end that a line could write, and takes no line break', () => {
    const step = (text: string) => ({
      command: 'cat',
      lines: [{ text }, { text: 'END1' }],
      tables: [],
      phases: [],
    })
    expect(scriptOf([step('END')])).toContain("<<'END2'")
    expect(() => scriptOf([step('a\nb')])).toThrow('line break')
  })

  it('is not sent where there is nothing to do', async () => {
    const seen: string[] = []
    await applyChanges(answering({}, seen), [], planOf({}), phases)
    await applyChanges(answering({}, seen), diffState({}, desired), planOf(desired), ['sweep'])
    expect(seen).toEqual([])
  })

  it.for<[string, Partial<Result>, object]>([
    [
      'that ended early is an error',
      { exitCode: 143, stderr: '@overlab step 0\nKilled\n' },
      {
        step: 'apply links, addresses, neighbours, fdb, sysctls, routes',
        why: 'the script ended before its last command',
        exitCode: 143,
        stderr: 'Killed',
      },
    ],
    [
      'whose tool names a line is an error of that object',
      {
        stdout: '@overlab step 0 exit 1\n',
        stderr: '@overlab step 0\nError: any valid prefix\nCommand failed -:3\n',
      },
      {
        step: 'apply addresses',
        object: 'addresses["10.1.1.1/24 dev cni0"]',
        why: 'the address could not be added',
        stderr: 'Error: any valid prefix\nCommand failed -:3',
      },
    ],
    [
      'whose tool names no line is an error of its tables',
      {
        stdout: '@overlab step 1 exit 127\n',
        stderr: 'RTNETLINK warning\n@overlab step 1\nsh: 12: bridge: not found\n',
      },
      {
        step: 'apply fdb',
        why: '`bridge -batch -` failed',
        exitCode: 127,
        hint: expect.stringContaining('bridge is missing'),
        stderr: 'RTNETLINK warning\nsh: 12: bridge: not found',
      },
    ],
  ])('%s', async ([, result, expected]) => {
    const failure = await applyChanges(
      answering(result),
      diffState({}, desired),
      planOf(desired),
      phases,
    ).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'HostError', host: 'node1', ...expected })
  })
})

describe('the probe script', () => {
  const plan = planOf({ sysctls: { 'net/ipv4/ip_forward': '1' } })
  const count = probeScript(plan).match(/^\); probed \d+ \$\?$/gm)!.length
  /** Its number among the probes. */
  const links = probeScript(plan)
    .split(/^\); probed \d+ \$\?$/m)
    .findIndex((script) => script.includes('addr show'))
  /** `text` is what the links' probe says. */
  const answer = (text = '') =>
    Array.from(
      { length: count },
      (_, index) => `${index === links ? text : ''}\n@overlab probe ${index} exit 0\n`,
    ).join('')

  it('runs equal probes once', () => {
    expect(probeScript(plan).match(/addr show$/gm)).toHaveLength(1)
    expect(count).toBeLessThan(modules.length)
  })

  it('that answers nothing in every part is an empty host', () => {
    expect(parseProbe(answer(), plan)).toEqual({})
  })

  it('whose answer lacks a part is an error, never an empty host', async () => {
    expect(() => parseProbe('', plan)).toThrow(`${modules[0]!.table}: the answer is missing`)
    const cut = answer().slice(0, answer().lastIndexOf('\n@overlab'))
    expect(() => parseProbe(cut, plan)).toThrow('the answer is missing')
    await expect(probe(answering({ stdout: cut, exitCode: 137 }), plan)).rejects.toMatchObject({
      step: 'probe',
      why: 'the script ended early; the answer is missing',
      exitCode: 137,
    })
  })

  it('whose probe failed says which, and what it printed', async () => {
    const stdout = answer().replace(`probe ${links} exit 0`, `probe ${links} exit 127`)
    const stderr = Array.from(
      { length: count },
      (_, index) => `${index === links ? 'sh: 1: ip: not found\n' : ''}\n@overlab probe ${index}\n`,
    ).join('')
    await expect(probe(answering({ stdout, stderr }), plan)).rejects.toMatchObject({
      host: 'node1',
      step: 'probe',
      command: 'ip -j -d addr show',
      exitCode: 127,
      stderr: 'sh: 1: ip: not found',
      hint: 'ip is missing on the host; it needs iproute2 and iptables (and bpftool for udp)',
    })
  })

  it('is not misled by a name that looks like a mark', () => {
    const link = { ifname: 'x', ifalias: `\n@overlab probe ${links} exit 0\n`, flags: ['UP'], addr_info: [] }
    expect(parseProbe(answer(JSON.stringify([link])), plan)).toEqual({})
  })

  it('whose tool printed no JSON says what it printed', async () => {
    await expect(probe(answering({ stdout: answer('Usage: ip') }), plan)).rejects.toMatchObject({
      why: '`ip -j -d addr show` printed no JSON but: Usage: ip',
    })
  })
})
