/** What this machine offers: tools, versions, kernel features per backend. Looks only. */
import { existsSync, statSync } from 'node:fs'
import { findCommand, isExecutable, run } from './commands.ts'
import { commandPlugin } from './command-plugin.ts'
import { flanneldBinary } from './flanneld-binary.ts'
import { flanneldWanted } from './flanneld-wanted.ts'
import { compiler, etcdTools, neededFor } from './flanneld.ts'
import { needs, probeKernel, type Kernel } from './kernel.ts'
import { isThere, tools, type Tool } from './packages.ts'
import { backendUrl, ownSecrets, passphraseFile } from './passphrase.ts'
import { fromRepository } from './paths.ts'
import { pulumiBinary, pulumiFolder } from './pulumi-cli.ts'
import { planRights, rights } from './rights.ts'
import { currentStack } from './stacks.ts'
import { commandPluginVersion, flanneldVersion, languageHostVersion, pulumiVersion } from './versions.ts'

export interface Finding {
  readonly group: 'rights' | 'runtime' | 'tool' | 'kernel' | 'project'
  /** `ip`, `kernel: vxlan`. */
  readonly name: string
  /** The tool's own version, or what was found; empty where there is nothing to tell. */
  readonly version: string
  readonly neededFor: string
  /** `missing` = labs do not work without it; `optional` = it is missing, and only what `neededFor` says lacks it. */
  readonly status: 'ok' | 'missing' | 'optional'
  /** What to do about it; empty where it is ok. */
  readonly remedy: string
}

const setUpRemedy = 'npm run lab'

export async function examine(env: NodeJS.ProcessEnv = process.env): Promise<Finding[]> {
  const groups = await Promise.all([
    examineRights(),
    examineRuntime(env),
    Promise.all(tools.map((tool) => examineTool(tool, env))),
    flanneldWanted() ? examineFlanneld(env) : [],
    probeKernel().then(kernelFindings),
  ])
  return [...groups, examineProject(env)].flat()
}

async function examineRights(): Promise<Finding[]> {
  const work = await planRights(rights())
  const trouble = work?.problems[0]
  return [
    {
      group: 'rights',
      name: 'root',
      version: process.getuid?.() === 0 ? 'root' : trouble ? '' : 'sudo',
      neededFor: 'every lab',
      status: trouble ? 'missing' : 'ok',
      remedy: trouble ?? '',
    },
  ]
}

async function examineRuntime(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const pulumi = await version(pulumiBinary(env), ['version'], env)
  const language = existsSync(`${pulumiFolder(env)}/pulumi-language-nodejs`)
  const go = findCommand('go', env)
  const plugin = commandPlugin(env)
  const pluginText = {
    missing: '',
    real: `${commandPluginVersion} (Pulumi's own)`,
    launcher: plugin.kind === 'launcher' ? `${commandPluginVersion} (launcher of ${plugin.clone})` : '',
  }[plugin.kind]
  const pluginWorks = plugin.kind === 'real' || (plugin.kind === 'launcher' && plugin.works)
  return [
    need('runtime', 'node', process.version, 'overlab itself', true, setUpRemedy),
    need('runtime', 'pulumi', pulumi, 'every stack', pulumi.includes(pulumiVersion), setUpRemedy),
    need(
      'runtime',
      'pulumi-language-nodejs',
      language ? languageHost(env) : '',
      'every stack',
      language,
      setUpRemedy,
    ),
    need('runtime', 'command plugin', pluginText, "an inventory's `bootstrap:`", pluginWorks, setUpRemedy),
    {
      group: 'runtime',
      name: 'go',
      version: go === undefined ? '' : await version(go, ['version'], env),
      neededFor: 'building Pulumi where it cannot be downloaded',
      status: go === undefined ? 'optional' : 'ok',
      remedy: go === undefined ? 'https://go.dev/dl' : '',
    },
  ]
}

/** Only where a lab of this project runs it; the others work without. */
async function examineFlanneld(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const file = flanneldBinary(env)
  const built = isExecutable(file)
  const wanted = built || env['CC'] ? etcdTools : [...etcdTools, compiler]
  return [
    ...(await Promise.all(wanted.map((tool) => examineTool({ ...tool, optional: true }, env)))),
    {
      group: 'tool',
      name: 'flanneld',
      version: built ? flanneldVersion : '',
      neededFor,
      status: built ? 'ok' : 'optional',
      remedy: built ? '' : `npm run setup builds it into ${file}`,
    },
  ]
}

/** The host built here carries its own number; a downloaded one came with the CLI and has the CLI's. */
function languageHost(env: NodeJS.ProcessEnv): string {
  const built = statSync(`${pulumiFolder(env)}/pulumi-language-nodejs`).size < 30_000_000
  return built ? languageHostVersion : pulumiVersion
}

function need(
  group: Finding['group'],
  name: string,
  found: string,
  neededFor: string,
  ok: boolean,
  remedy: string,
): Finding {
  return { group, name, version: found, neededFor, status: ok ? 'ok' : 'missing', remedy: ok ? '' : remedy }
}

/** How each tool is asked for its version; where none is named, `--version`. */
const versionArguments: Readonly<Record<string, readonly string[]>> = {
  ip: ['-V'],
  bridge: ['-V'],
  tc: ['-V'],
  ping: ['-V'],
  ssh: ['-V'],
  sshd: ['-V'],
  bpftool: ['version'],
  'ssh-keygen': [],
}

async function examineTool(tool: Tool, env: NodeJS.ProcessEnv): Promise<Finding> {
  const there = isThere(tool, env)
  const asked = versionArguments[tool.name] ?? ['--version']
  const path = there ? findCommand(tool.name, env) : undefined
  return {
    group: 'tool',
    name: tool.name,
    version: path !== undefined && asked.length > 0 ? await version(path, asked, env) : '',
    neededFor: tool.neededFor,
    status: there ? 'ok' : tool.optional ? 'optional' : 'missing',
    remedy: there ? '' : `${setUpRemedy}, or: apt-get install ${tool.packages[0]?.join(' ') ?? ''}`,
  }
}

/** The first thing in a tool's answer that looks like a version. Some tools answer on standard error. */
async function version(path: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const result = await run(path, args, { env: { ...env, LC_ALL: 'C' }, timeout: 10_000 })
  return versionIn(`${result.stdout}\n${result.stderr}`)
}

export function versionIn(text: string): string {
  return (/OpenSSH_([\w.]+)/.exec(text) ?? /(?<![\d.])(\d+(?:\.\d+)+|20\d{6})(?![\d])/.exec(text))?.[1] ?? ''
}

export function kernelFindings(kernel: Kernel): Finding[] {
  return kernel.offers.map(({ feature, offered, why }) => {
    const users = Object.entries(needs).filter(([, list]) => list.flat().includes(feature))
    const vital = users.some(([user, list]) => user === 'every lab' && list.some((need) => need === feature))
    return {
      group: 'kernel',
      name: feature,
      version: offered === 'yes' ? kernel.release : '',
      neededFor: users.map(([user]) => user).join(', ') || 'nothing of overlab yet',
      status: offered === 'yes' ? 'ok' : vital ? 'missing' : 'optional',
      remedy:
        offered === 'yes'
          ? ''
          : offered === 'unknown'
            ? `not tried: ${why}`
            : `not in this kernel (${why}); load or install its module`,
    }
  })
}

function examineProject(env: NodeJS.ProcessEnv): Finding[] {
  const file = passphraseFile()
  const made = existsSync(file)
  const stack = currentStack(env)
  return [
    need(
      'project',
      'node_modules',
      '',
      'overlab itself',
      existsSync(fromRepository('node_modules')),
      'npm ci',
    ),
    need('project', 'backend', backendUrl(env) ?? 'where you are logged in', 'every stack', true, ''),
    need(
      'project',
      'passphrase',
      ownSecrets(env) ? 'your own' : made ? file : '',
      'every stack',
      ownSecrets(env) || made,
      setUpRemedy,
    ),
    need('project', 'stack', stack ?? '', 'pulumi up', stack !== undefined, 'npx pulumi stack select vxlan'),
  ]
}
