/** What an act is given is seen nowhere but on its host: not in state, history, backups, logs, errors or a process list. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeLab, type LabForm, type TestLab } from './support/lab.ts'
import { makeProject, writeInto, type Project } from './support/project.ts'

// One that no other text holds, and that base64 or quotes would not change.
const secrets = ['variable', 'file', 'plain', 'inline', 'undo'].map((one) => `s3cr3t${process.pid}${one}`)
const [variable, file, plain, inline, undo] = secrets as [string, string, string, string, string]
const name = `E2E_TOKEN_${process.pid}`

let project: Project
let lab: TestLab
let printed = ''

const form = (trigger: string, fails = false): LabForm => ({
  backend: { Type: 'host-gw' },
  all: {
    hosts: {
      node1: {
        bootstrap: [
          {
            name: 'token',
            // Long enough to be seen in a process list.
            run: 'printf %s "$ONE,$TWO,$THREE" | sha256sum >/root/sum; sleep 1; echo "$ONE"',
            delete: `sleep 1; : ${undo}`,
            environment: { ONE: { from_env: name }, TWO: { from_file: 'secrets/token' }, THREE: plain },
            triggers: [trigger],
          },
          ...(fails ? [{ name: 'login', run: `sleep 1; : --password ${inline}; no-such-command` }] : []),
        ],
      },
    },
    vars: { pods: 1 },
  },
})

/** The command lines of all processes while something goes on; those in machines of namespaces are seen from here too. */
async function watching<T>(action: () => Promise<T>): Promise<{ result: T; lines: string[] }> {
  const seen = new Set<string>()
  const look = () => {
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)))
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
      } catch {
        // It ended meanwhile.
      }
  }
  const clock = setInterval(look, 20)
  try {
    return { result: await action(), lines: [...seen] }
  } finally {
    clearInterval(clock)
  }
}

/** Every file of the own folder: state, its .bak, history, backups, notes. */
function kept(): string[] {
  return readdirSync(join(project.folder, '.overlab'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function expectNoSecret(text: string) {
  for (const secret of secrets) expect(text.includes(secret) && secret).toBe(false)
}

beforeAll(async () => {
  process.env[name] = variable
  project = makeProject()
  mkdirSync(join(project.folder, 'inventory/secrets'), { recursive: true })
  writeInto(project, 'inventory/secrets/token', `${file}\n`)
  lab = await makeLab(project, form('a'))
})
afterAll(async () => {
  Reflect.deleteProperty(process.env, name)
  await lab.destroy()
  project.remove()
})

test('a missing variable is named with its place, before anything is made', async () => {
  Reflect.deleteProperty(process.env, name)
  const { code, output } = await lab.overlab('up', '--yes')
  process.env[name] = variable
  expect(code).not.toBe(0)
  expect(output).toMatch(
    new RegExp(`${lab.file}:\\d+:\\d+ .*environment\\.ONE: the variable ${name} is not set; export ${name}`),
  )
  printed += output
})

test('the act gets its values, and no process list has them', async () => {
  const { result, lines } = await watching(() => lab.overlab('up', '--yes', '--diff'))
  printed += result.output
  expect(result.code).toBe(0)
  const sum = createHash('sha256').update(`${variable},${file},${plain}`).digest('hex')
  expect(await lab.on('node1', 'cat /root/sum')).toContain(sum)
  // It was looked at while the act ran.
  expect(lines.join('\n')).toContain('node1, act 1: token run')
  expectNoSecret(lines.join('\n'))
})

test('an error names the act, and not its text', async () => {
  lab.describe(form('b', true))
  const { result, lines } = await watching(() => lab.overlab('up', '--yes', '--diff'))
  printed += result.output
  expect(result.code).not.toBe(0)
  expect(result.output).toContain('node1, act 2: login')
  expect(result.output).toMatch(/exited with status 127/)
  expect(lines.join('\n')).toContain('node1, act 2: login run')
  expectNoSecret(lines.join('\n'))
})

test('destroy undoes it with what the state has, and leaves no secret', async () => {
  lab.describe(form('b'))
  for (const words of [
    ['up', '--yes'],
    ['preview', '--diff'],
    ['preview', '--json'],
    ['up', '--yes', '--refresh'],
  ])
    printed += (await lab.overlab(...words)).output
  printed += (await lab.pulumi('stack', 'export')).output
  // A destroy leaves machines and what they run to themselves unless the act is taken back.
  lab.describe({ ...form('b'), all: { hosts: { node1: null }, vars: { pods: 1 } } })
  const { result, lines } = await watching(() => lab.overlab('up', '--yes', '--diff'))
  printed += result.output
  expect(result.code).toBe(0)
  expect(lines.join('\n')).toContain('node1, act 1: token delete')
  expectNoSecret(lines.join('\n'))
  printed += (await lab.overlab('destroy', '--yes')).output
})

test('nothing printed, and nothing kept, has one', () => {
  expectNoSecret(printed)
  const files = kept()
  expect(files.filter((one) => one.includes('/history/')).length).toBeGreaterThan(2)
  expect(files.filter((one) => one.includes('/backups/')).length).toBeGreaterThan(2)
  // What is no secret is found, so what is one would be.
  expect(files.some((one) => readFileSync(one, 'latin1').includes('node1, act 1: token'))).toBe(true)
  for (const one of files) expectNoSecret(`${one}\n${readFileSync(one, 'latin1')}`)
  expect(statSync(join(project.folder, '.overlab')).mode & 0o777).toBe(0o700)
})
