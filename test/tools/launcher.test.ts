/** The launcher `overlab`: plain sh, from any folder, by a link, with and without a set-up. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { repository } from '../../tools/paths.ts'
import { linkHint } from '../../tools/setup.ts'
import { cleanClone } from './clone.ts'
import { temporaryFolder } from './temporary.ts'

// A process a case, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

function call(command: string, words: readonly string[], cwd: string, path = '/usr/bin:/bin') {
  const { status, stdout, stderr } = spawnSync(command, words, {
    cwd,
    env: { PATH: path, HOME: '/nonexistent', PULUMI_STACK: 'vxlan' },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

/** A link to the launcher, as set-up proposes it, and the folder that PATH needs. */
function linked(clone: string): string {
  const folder = temporaryFolder()
  symlinkSync(join(clone, 'overlab'), join(folder, 'overlab'))
  return folder
}

test('without a set-up it says what to run, from anywhere', () => {
  const clone = cleanClone({ nodeModules: false })
  const said = {
    status: 1,
    stdout: '',
    stderr: `overlab: this clone is not set up: ${clone}/node_modules/.bin/node is missing\n  run: cd '${clone}' && npm run setup\n`,
  }
  expect(call('./overlab', ['ping'], clone)).toEqual(said)
  expect(call('overlab', ['ping'], '/', `${linked(clone)}:/usr/bin:/bin`)).toEqual(said)
})

test('a project that is set up', () => {
  const clone = cleanClone({ nodeModules: true })
  const path = `${linked(clone)}:/usr/bin:/bin`
  // Messages print what works where the user is.
  const name = (command: string, cwd: string, path?: string) =>
    /; (.*) --help shows what there is/.exec(call(command, ['--nonsense'], cwd, path).stderr)?.[1]
  expect(name('./overlab', clone)).toBe('./overlab')
  expect(name(join(clone, 'overlab'), '/')).toBe(join(clone, 'overlab'))
  expect(name('../overlab', join(clone, 'cli'))).toBe(join(clone, 'overlab'))
  expect(name('overlab', '/', path)).toBe('overlab')

  // By a link on PATH the clone's lab is named, and another project's folder is refused.
  const inside = call('overlab', ['inventory'], join(clone, 'overlay'), path)
  expect(inside).toMatchObject({ status: 0, stderr: 'overlab: lab lab, stack vxlan\n' })
  expect(call('overlab', ['inventory'], '/', path)).toEqual({
    ...inside,
    stderr: `overlab: lab lab, stack vxlan, project ${clone}\n`,
  })
  const smoke = join(clone, 'examples/smoke')
  for (const verb of ['inventory', 'up'])
    expect(call('overlab', [verb], smoke, path)).toEqual({
      status: 2,
      stdout: '',
      stderr: `overlab: ${smoke} belongs to the Pulumi project smoke (${smoke}/Pulumi.yaml), and this overlab works on the lab of overlab in ${clone}; go there: cd ${clone}\n`,
    })
  const other = temporaryFolder()
  mkdirSync(join(other, 'deep'))
  writeFileSync(join(other, 'Pulumi.yaml'), 'name: overlab\n')
  writeFileSync(join(other, 'overlab'), '')
  expect(call('overlab', ['ping'], join(other, 'deep'), path).stderr).toContain(
    `for that project's lab call ${other}/overlab; for this one's go there: cd ${clone}\n`,
  )
})

test('package.json names it, so that npm and npx never start TypeScript by a Node that cannot read it', () => {
  const { bin } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    bin: { overlab: string }
  }
  expect(readFileSync(join(repository, bin.overlab), 'utf8')).toMatch(/^#!\/bin\/sh\n/)
  const packed = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: repository,
    encoding: 'utf8',
  })
  const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string; mode: number }[] }]
  expect(files.find(({ path }) => path === bin.overlab)?.mode.toString(8)).toMatch(/^755$/)
})

test('set-up says how to link it, until PATH leads to it', () => {
  expect(linkHint({ PATH: '/usr/bin' }).join('\n')).toMatch(/ln -s \S*\/overlab \S+\/bin\/overlab$/)
  expect(linkHint({ PATH: linked(repository) })).toEqual([])
})
