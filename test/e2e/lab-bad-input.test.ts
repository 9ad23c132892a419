/** What is wrong is refused with its place and remedy, before anything is changed. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { difference } from './fingerprint.ts'
import { dumpAll } from './support/kernel-dump.ts'
import { makeLab, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

const hosts = ['node1', 'node2']
const twoHosts = { hosts: { 'node[1:2]': null }, vars: { pods: 1 } }
let project: Project
let lab: TestLab
beforeAll(async () => {
  project = makeProject()
  lab = await makeLab(project, { backend: { Type: 'vxlan' }, all: twoHosts })
  await lab.up()
})
afterAll(async () => {
  await lab.destroy()
  project.remove()
})

const right = () => readFileSync(join(project.folder, lab.file), 'utf8')

/** What the state says of every resource. */
async function state(): Promise<unknown> {
  const { stdout } = await lab.pulumi('stack', 'export')
  const { deployment } = JSON.parse(stdout) as {
    deployment: { resources: { urn: string; inputs: unknown; outputs: unknown }[] }
  }
  return deployment.resources.map(({ urn, inputs, outputs }) => ({ urn, inputs, outputs }))
}

interface Mistake {
  readonly what: string
  readonly replace: string
  readonly by: string
  /** Stands on the line that is named. */
  readonly at: string
  readonly says: RegExp
}

test.each<Mistake>([
  { what: 'an unknown key', replace: 'pods: 1', by: 'podz: 1', at: 'podz', says: /did you mean pods\?/ },
  { what: 'an unknown backend', replace: 'vxlan', by: 'vxlam', at: 'vxlam', says: /did you mean vxlan\?/ },
  {
    what: 'a pod network over the underlay',
    replace: '10.244.0.0/16',
    by: '10.0.0.0/8',
    at: 'Network',
    says: /overlaps the underlay/,
  },
  { what: 'no YAML', replace: 'all:', by: 'all: ]', at: 'all: ]', says: /not valid YAML/ },
])('$what changes nothing', async ({ replace, by, at, says }) => {
  const good = right()
  const bad = good.replace(replace, by)
  expect(bad).not.toBe(good)
  const line = bad.split('\n').findIndex((text) => text.includes(at)) + 1
  const [dumped, known] = [await dumpAll(lab, hosts), await state()]
  lab.write(bad)
  try {
    for (const verb of [['up', '--yes', '--skip-preview'], ['ping']]) {
      const { code, output } = await lab.overlab(...verb)
      expect(code, verb[0]).not.toBe(0)
      expect(output).toMatch(new RegExp(`${lab.file}:${line}:\\d+\\b`))
      expect(output).toMatch(says)
      expect(output).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m)
    }
  } finally {
    lab.write(good)
  }
  expect(difference(dumped, await dumpAll(lab, hosts))).toEqual([])
  expect(await state()).toEqual(known)
})

test('a name with shell words is refused, and runs nowhere', async () => {
  const trace = join(project.folder, 'ran')
  const good = right()
  for (const name of [`x; touch ${trace}`, `$(touch ${trace})`, '-rf', '../x', 'a\nb']) {
    lab.write(good.replace(`name: ${lab.name}`, `name: ${JSON.stringify(name)}`))
    const { code, output } = await lab.overlab('up', '--yes', '--skip-preview')
    expect(code).not.toBe(0)
    expect(output).toMatch(/lab\.name: .* is not a name/)
  }
  lab.write(good)
  // The same from the stack's own config.
  await lab.pulumi('config', 'set', 'lab', `$(touch ${trace})`)
  const { code, output } = await lab.overlab('up', '--yes', '--skip-preview')
  await lab.pulumi('config', 'rm', 'lab')
  expect(code).not.toBe(0)
  expect(output).toMatch(/config overlab:lab: .* is not a name/)
  expect(existsSync(trace)).toBe(false)
  rmSync(trace, { force: true })
})

test("another lab's underlay is refused with that lab's name, before there is anything", async () => {
  const second = await makeLab(project, {
    backend: { Type: 'vxlan' },
    all: twoHosts,
    underlay: `${lab.net}.128/25`,
  })
  try {
    const { code, output } = await second.overlab('up', '--yes', '--skip-preview')
    expect(code).not.toBe(0)
    expect(output).toContain(`overlaps the underlay ${lab.net}.0/24 of the lab ${lab.name}`)
    expect(existsSync(`/run/overlab/${second.name}`)).toBe(false)
  } finally {
    await second.destroy()
  }
})

test("another project's lab of the same name is refused, and left as it is", async () => {
  const elsewhere = makeProject()
  try {
    const same = await makeLab(
      elsewhere,
      { backend: { Type: 'host-gw' }, all: twoHosts, underlay: `${lab.net}.0/24` },
      lab,
    )
    const before = await dumpAll(lab, hosts)
    const { code, output } = await same.overlab('up', '--yes', '--skip-preview')
    expect(code).not.toBe(0)
    expect(output).toContain(
      `the lab belongs to stack ${lab.stack} of ${project.folder}, not to stack ${lab.stack} of ${elsewhere.folder}`,
    )
    await same.overlab('destroy', '--yes', '--skip-preview')
    expect(difference(before, await dumpAll(lab, hosts))).toEqual([])
  } finally {
    elsewhere.remove()
  }
})
