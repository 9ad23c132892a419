/** One-shot acts of an inventory: in order, before the overlay, once; and their secrets stay secret. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeLab, type LabForm, type TestLab } from './support/lab.ts'
import { makeProject, writeInto, type Project } from './support/project.ts'

let project: Project
let lab: TestLab

const form = (trigger: string, command = 'true'): LabForm => ({
  backend: { Type: 'host-gw' },
  all: {
    hosts: {
      'node[1:2]': null,
      node1: {
        bootstrap: [
          {
            name: 'first',
            run: 'sleep 0.3; echo first >>/root/acts; ls /sys/class/net | xargs >/root/links',
          },
          { name: 'file', copy: 'files/e2e', to: '/root/copied' },
          {
            name: 'second',
            run: 'cat /root/copied >>/root/acts; echo "second $WORD" >>/root/acts',
            environment: { WORD: "it's" },
            triggers: [trigger],
          },
          { name: 'third', run: command },
        ],
      },
    },
    vars: { pods: 1 },
  },
})
const acts = () => lab.on('node1', 'cat /root/acts')

beforeAll(async () => {
  project = makeProject()
  mkdirSync(join(project.folder, 'inventory/files'), { recursive: true })
  writeInto(project, 'inventory/files/e2e', 'copied\n')
  lab = await makeLab(project, form('a'))
})
afterAll(async () => {
  await lab.destroy()
  project.remove()
})

test('they run in their order, before the overlay is there', async () => {
  await lab.up()
  expect(await acts()).toBe("first\ncopied\nsecond it's")
  expect(await lab.on('node1', 'cat /root/links')).toBe('eth0 lo')
  expect(await lab.on('node1', 'ls /sys/class/net | grep cni0')).toBe('cni0')
})

test('a second up runs none', async () => {
  expect(await lab.up()).toMatch(/unchanged/)
  expect(await acts()).toBe("first\ncopied\nsecond it's")
})

test('a changed trigger runs that one act again, a changed file the copy', async () => {
  lab.describe(form('b'))
  await lab.up()
  expect(await acts()).toBe("first\ncopied\nsecond it's\ncopied\nsecond it's")
  writeInto(project, 'inventory/files/e2e', 'copied anew\n')
  await lab.up()
  expect(await lab.on('node1', 'cat /root/copied')).toBe('copied anew')
  expect(await acts()).toBe("first\ncopied\nsecond it's\ncopied\nsecond it's")
})

test('the private key is in neither the state nor the log', async () => {
  const key = readFileSync(`/run/overlab/${lab.name}/id_ed25519`, 'utf8').split('\n')[2]!
  const { stdout } = await lab.pulumi('stack', 'export')
  expect(stdout).toContain('ciphertext')
  for (const secret of ['PRIVATE KEY', key]) expect(stdout).not.toContain(secret)
  lab.describe(form('c'))
  const printed = await lab.up('--diff')
  for (const secret of ['PRIVATE KEY', key]) expect(printed).not.toContain(secret)
})

test('a command that fails names its host, act and exit code; mended, up goes on', async () => {
  lab.describe(form('c', 'echo why >&2; exit 7'))
  const { code, output } = await lab.overlab('up', '--yes', '--skip-preview')
  expect(code).not.toBe(0)
  expect(output).toMatch(/remote:Command \(?\S+-node1\.third/)
  expect(output).toMatch(/exited with status 7/)
  expect(output).toContain('why')
  lab.describe(form('c', 'echo mended >>/root/acts'))
  await lab.up()
  expect(await acts()).toMatch(/mended$/)
})
