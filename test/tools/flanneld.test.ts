import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { planFlanneld } from '../../tools/flanneld.ts'
import { flanneldBinary } from '../../tools/flanneld-binary.ts'
import { flanneldWanted } from '../../tools/flanneld-wanted.ts'
import { says } from '../../tools/wish.ts'
import { temporaryFolder } from './temporary.ts'

const goodGo = `if [ "$1" = env ]; then echo go1.26.8; echo auto; exit; fi
case $CGO_ENABLED in 1) ;; *) echo "no C" >&2; exit 1 ;; esac
while [ "$1" != -o ]; do shift; done; echo built > "$2"; chmod 755 "$2"`

/** An environment with a cache of its own, and these programs only, beside etcd's. */
function machine(programs: Record<string, string>, etcd = true): NodeJS.ProcessEnv {
  const folder = temporaryFolder()
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const name of ['sh', 'chmod', 'nice']) symlinkSync(`/usr/bin/${name}`, join(bin, name))
  const all = etcd ? { etcd: '', etcdctl: '', ...programs } : programs
  for (const [name, text] of Object.entries(all))
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return { PATH: bin, XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder }
}

describe('what control: flanneld needs', () => {
  test('is built once, with C, into the cache', async () => {
    const env = machine({ go: goodGo, gcc: '' })
    const work = await planFlanneld(env)
    expect(work?.problems).toEqual([])
    expect(work?.outside).toEqual([
      expect.stringMatching(/^build flanneld [\d.]+ from Go modules into .*\/cache\/overlab\/flanneld \(/),
    ])
    for (const task of work?.tasks ?? []) await task.run(() => undefined)
    expect(flanneldBinary(env)).toContain('/cache/overlab/flanneld/flanneld-0.28.10')
    expect(await planFlanneld(env)).toBeUndefined()
  })

  test('without Go and without the chosen C compiler: one line each, with what to do', async () => {
    const work = await planFlanneld({ ...machine({}), CC: 'tcc' })
    expect(work?.problems).toEqual([
      expect.stringMatching(/needs Go, which is missing: install Go [\d.]+ or newer/),
      expect.stringMatching(/\$CC names tcc, which is missing: unset CC/),
    ])
    expect(work?.tasks).toEqual([])
  })

  test("etcd and gcc come from the system's packages; etcd is said not to start", async ({ skip }) => {
    const env = machine({ go: goodGo, 'apt-get': 'exit 1' }, false)
    const work = await planFlanneld(env)
    skip(work?.outside.length === 0, 'the archives of this system have no etcd')
    expect(work?.outside[0]).toBe('install system packages by apt-get: etcd-client etcd-server gcc libc6-dev')
    expect(work?.outside[1]).toContain('not started')
  })
})

describe('is it wanted?', () => {
  test.each([
    ['  control: flanneld', true],
    ['    node1: {pods: 2, control: flanneld}', true],
    ['{"control": "flanneld"}', true],
    ["  control: 'flanneld' # for once", true],
    ['  control: static # or flanneld', false],
    ['  # control: flanneld', false],
    ['  x_control: flanneld', false],
    ['  name: flanneld', false],
  ])('%s: %s', (line, wanted) =>
    expect(says({ key: 'control', value: 'flanneld' }, `lab:\n${line}\n`)).toBe(wanted),
  )

  /** A project with one stack and two inventories. */
  function project(config: string): string {
    const folder = temporaryFolder()
    for (const name of ['stacks', 'inventory']) mkdirSync(join(folder, name))
    writeFileSync(join(folder, 'stacks/Pulumi.one.yaml'), config)
    writeFileSync(join(folder, 'inventory/lab.yaml'), 'lab: {name: lab}\n')
    writeFileSync(join(folder, 'inventory/other.yaml'), 'lab: {name: lab, control: flanneld}\n')
    writeFileSync(
      join(folder, 'inventory/host.yaml'),
      'lab: {name: lab, control: static}\nall: {hosts: {node1: {control: flanneld}}}\n',
    )
    return folder
  }
  test.each([
    ['', false],
    ['config: {"overlab:control": flanneld}', true],
    ['config: {"overlab:inventory": inventory/other.yaml}', true],
    ['config: {"overlab:inventory": inventory/other.yaml, "overlab:control": static}', false],
    ['config: {"overlab:inventory": inventory/host.yaml, "overlab:control": static}', true],
    ['config: {"overlab:inventory": inventory/missing.yaml}', false],
    ['config: [', false],
  ])('stack %j: %s', (config, wanted) => expect(flanneldWanted(project(config), [])).toBe(wanted))

  test('the tests ask for it themselves', () => {
    expect(flanneldWanted(project(''), ['node', 'setup.ts', '--flanneld'])).toBe(true)
  })
})
