import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startSshd } from '../plugins/command/sshd.ts'
import type { Sshd } from '../plugins/command/sshd.ts'

const repository = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'overlab-command-'))
const acts = join(folder, 'acts')
let sshd: Sshd

const program = `
import * as pulumi from '@pulumi/pulumi'
import { local, remote } from '@pulumi/command'

const { folder, connection, trigger, update, text } = JSON.parse(process.env.SCENARIO)
const act = (who) => \`echo "\${who}" >> \${folder}/acts; echo "\${who}: $PULUMI_COMMAND_STDOUT"\`

const here = new local.Command('here', {
  create: act('here create'), update: update && act('here ' + update), delete: act('here delete'),
  dir: folder, assetPaths: ['given/*'], triggers: [trigger],
})
const there = new remote.Command('there', {
  connection, create: act('there create'), update: update && act('there ' + update), delete: act('there delete'),
  triggers: [trigger], stdin: here.stdout,
}, { dependsOn: here })
new remote.CopyToRemote('copy', {
  connection, source: new pulumi.asset.StringAsset(text), remotePath: folder + '/copied',
}, { dependsOn: there })
const hidden = new local.Command('hidden', { create: pulumi.secret('echo whisper; sleep 0') })
const ran = local.runOutput({ command: 'echo ran' })

export const out = pulumi.all([here.stdout, there.stdout, ran.stdout])
export const assets = here.assets.apply((assets) => Object.keys(assets ?? {}))
export const hush = hidden.stdout
`

beforeAll(async () => {
  sshd = await startSshd('Subsystem sftp internal-sftp', 'AcceptEnv PULUMI_*')
  const home = join(folder, 'home')
  const plugins = join(home, 'plugins', 'resource-command-v1.2.1')
  mkdirSync(plugins, { recursive: true })
  mkdirSync(join(folder, 'state'))
  mkdirSync(join(folder, 'given'))
  writeFileSync(join(folder, 'given', 'file'), 'content')
  symlinkSync(join(process.env.PULUMI_HOME ?? join(homedir(), '.pulumi'), 'versions'), join(home, 'versions'))
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  const launcher = `#!/bin/sh\nexec '${process.execPath}' '${repository}/plugins/command/index.ts' "$@"\n`
  writeFileSync(join(plugins, 'pulumi-resource-command'), launcher, { mode: 0o755 })
  const project = 'name: command\nruntime:\n  name: nodejs\n  options: {typescript: false}\nmain: index.mjs\n'
  writeFileSync(join(folder, 'Pulumi.yaml'), project)
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
  writeFileSync(join(folder, 'index.mjs'), program)
  await pulumi({}, 'stack', 'init', 'test')
})
afterAll(async () => {
  await sshd.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Scenario {
  trigger?: string
  update?: string
  text?: string
}

/** Runs the Pulumi CLI; returns what it prints. */
function pulumi(scenario: Scenario, ...args: string[]): Promise<string> {
  const { port, privateKey, hostKey } = sshd
  const connection = { host: '127.0.0.1', port, user: 'root', privateKey, hostKey, dialErrorLimit: 1 }
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(repository, 'node_modules/pulumi/run.js'), ...args, '--non-interactive', '--color=never'],
      {
        cwd: folder,
        maxBuffer: 1e8,
        env: {
          ...process.env,
          SCENARIO: JSON.stringify({ trigger: 'a', text: 'first', ...scenario, folder, connection }),
          PULUMI_HOME: join(folder, 'home'),
          PULUMI_BACKEND_URL: `file://${folder}/state`,
          PULUMI_CONFIG_PASSPHRASE: '',
          PULUMI_SKIP_UPDATE_CHECK: '1',
        },
      },
      (error, stdout, stderr) =>
        error
          ? reject(new Error(`pulumi ${args[0]} failed: ${stdout}${stderr}`, { cause: error }))
          : resolve(stdout),
    )
  })
}
const up = (scenario: Scenario) => pulumi(scenario, 'up', '--yes', '--skip-preview')
const preview = async (scenario: Scenario) =>
  JSON.parse(await pulumi(scenario, 'preview', '--json')) as {
    steps: { op: string; urn: string; replaceReasons?: string[]; detailedDiff?: object }[]
  }
async function output(): Promise<unknown> {
  return JSON.parse(await pulumi({}, 'stack', 'output', '--json', '--show-secrets'))
}
/** What the commands did since the last question. */
function done(): string[] {
  const lines = existsSync(acts) ? readFileSync(acts, 'utf8').trim().split('\n') : []
  rmSync(acts, { force: true })
  return lines
}

// One life of a stack, in order: each test goes on from the state that the one before left.
test('preview runs no command', async () => {
  const { steps } = await preview({})
  expect(steps.map(({ op }) => op)).toEqual(['create', 'create', 'create', 'create', 'create'])
  expect(done()).toEqual([])
})

test('up runs them and keeps what they print', async () => {
  await up({})
  expect(done()).toEqual(['here create', 'there create'])
  expect(await output()).toEqual({
    out: ['here create: ', 'there create: ', 'ran'],
    assets: ['given/file'],
    hush: 'whisper',
  })
  expect(readFileSync(join(folder, 'copied'), 'utf8')).toBe('first')
})

test('the connection and the output of a secret command are encrypted in the state', async () => {
  const state = await pulumi({}, 'stack', 'export')
  expect(state).toContain('there create')
  expect(state).not.toContain('PRIVATE KEY')
  expect(state).not.toContain('whisper')
})

test('a second up has nothing to do', async () => {
  expect(await up({})).toMatch(/Resources:\n\s+5 unchanged/)
  expect(done()).toEqual([])
})

test('a changed input runs `update`, with the output of before', async () => {
  const { steps } = await preview({ update: 'update' })
  expect(steps.filter(({ op }) => op !== 'same').map(({ op, urn }) => [op, urn.split('::').at(-1)])).toEqual([
    ['update', 'here'],
    ['update', 'there'],
  ])
  await up({ update: 'update' })
  expect(done()).toEqual(['here update', 'there update'])
  expect(await output()).toMatchObject({
    out: ['here update: here create: ', 'there update: there create: ', 'ran'],
  })
})

test('a changed trigger replaces: the new `create` first, the old `delete` afterwards', async () => {
  const scenario = { update: 'update', trigger: 'b' }
  const replaced = (await preview(scenario)).steps.filter(({ op }) => op === 'replace')
  expect(
    replaced.map(({ detailedDiff, replaceReasons }) => [Object.keys(detailedDiff ?? {}), replaceReasons]),
  ).toEqual([
    [['triggers[0]'], ['triggers']],
    [expect.arrayContaining(['triggers[0]']), ['triggers']],
  ])
  await up(scenario)
  expect(done()).toEqual(['here create', 'there create', 'there delete', 'here delete'])
})

test('a changed source is copied again', async () => {
  expect(await up({ update: 'update', trigger: 'b', text: 'second' })).toMatch(/1 replaced/)
  expect(readFileSync(join(folder, 'copied'), 'utf8')).toBe('second')
  expect(done()).toEqual([])
})

test('a failure names the command and what it printed; the others stay', async () => {
  const scenario = { update: 'update', trigger: 'b', text: 'second' }
  await expect(up({ ...scenario, update: 'x"; echo out; exit 3 #' })).rejects.toThrow(
    /error: exit status 3: running "echo \\"here x\\"; echo out; exit 3 #.*:\n\s+here x\n?\s+out/s,
  )
  done()
  expect((await preview(scenario)).steps.every(({ op }) => op === 'same')).toBe(true)
})

test('preview and refresh contact no host; destroy runs `delete`', async () => {
  const scenario = { update: 'update', trigger: 'b', text: 'second' }
  process.kill(Number(readFileSync(join(sshd.folder, 'pid'), 'utf8')), 'SIGSTOP')
  try {
    expect((await preview(scenario)).steps.every(({ op }) => op === 'same')).toBe(true)
    expect(await pulumi(scenario, 'refresh', '--yes')).toMatch(/5 unchanged/)
  } finally {
    process.kill(Number(readFileSync(join(sshd.folder, 'pid'), 'utf8')), 'SIGCONT')
  }
  await pulumi(scenario, 'destroy', '--yes')
  expect(done()).toEqual(['there delete', 'here delete'])
})
