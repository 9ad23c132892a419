/** The three stacks of the project, made and one of them selected, where the state is overlab's local one. */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../inventory/json.ts'
import { run } from './commands.ts'
import { pulumiBinary, pulumiEnvironment } from './environment.ts'
import { localBackend, ownBackend } from './passphrase.ts'
import { fromRepository, ownFolder, pulumiHome, repository } from './paths.ts'
import { SetupError, type Part, type Work } from './work.ts'

export const stackNames = ['vxlan', 'host-gw', 'udp'] as const
/** Made where set-up is asked for it (`npm run lab:vms`): qemu comes with it. */
const vmsStack = 'vms'
const defaultStack = 'vxlan'

/** `name:` of a Pulumi.yaml. */
export function projectName(): string {
  return (
    /^name:\s*['"]?([\w.-]+)/m.exec(readFileSync(fromRepository('Pulumi.yaml'), 'utf8'))?.[1] ?? 'overlab'
  )
}

/** Is this stack in the local state? */
function isMade(stack: string): boolean {
  return existsSync(join(ownFolder(), 'state', '.pulumi', 'stacks', projectName(), `${stack}.json`))
}

/**
 * The stack that Pulumi takes when none is named: `$PULUMI_STACK`, else the selected one, read from Pulumi's own
 * note (`$PULUMI_HOME/workspaces/PROJECT-SHA1-workspace.json`, SHA-1 of the path of Pulumi.yaml; measured with
 * 3.259.0), since asking the CLI takes a third of a second. Undefined where none is selected.
 */
export function currentStack(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env['PULUMI_STACK'] || selectedStack(env)
}

/** The selected stack, whatever `$PULUMI_STACK` says: what another shell takes. Undefined where none is selected. */
export function selectedStack(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const id = createHash('sha1').update(join(repository, 'Pulumi.yaml')).digest('hex')
  const path = join(pulumiHome(env), 'workspaces', `${projectName()}-${id}-workspace.json`)
  if (!existsSync(path)) return undefined
  try {
    const note = parseJson(workspaceNote, readFileSync(path, 'utf8'), path)
    return (note.stacks?.[localBackend] ?? note.stack)?.split('/').at(-1)
  } catch {
    return undefined
  }
}

/** Of all that Pulumi notes there. */
const workspaceNote = z.object({
  stacks: z.record(z.string(), z.string()).nullish(),
  stack: z.string().nullish(),
})

export const stacksPart: Part = { name: 'the stacks', plan: () => Promise.resolve(planStacks()) }

export function planStacks(env: NodeJS.ProcessEnv = process.env): Work | undefined {
  if (!ownBackend(env) || !existsSync(fromRepository('Pulumi.yaml'))) return undefined
  const wanted = process.argv.includes('--vms') ? [...stackNames, vmsStack] : stackNames
  const missing = wanted.filter((stack) => !isMade(stack))
  const current = currentStack(env)
  const select = !env['PULUMI_STACK'] && (current === undefined || !isMade(current))
  if (missing.length === 0 && !select) return undefined
  return {
    problems: [],
    outside: [],
    tasks: [
      {
        title:
          missing.length > 0
            ? `making the stacks ${missing.join(', ')}`
            : `selecting the stack ${defaultStack}`,
        run: async () => {
          for (const stack of missing) {
            prepareConfig(stack)
            await pulumi(['stack', 'init', stack, '--no-select'], env)
          }
          if (select) await pulumi(['stack', 'select', defaultStack], env)
        },
      },
    ],
  }
}

/**
 * A stack's config as `stack init` wants it: made from the default where the user has none, and without the salt of
 * a passphrase that is gone together with its state (values encrypted by it are never touched).
 */
function prepareConfig(stack: string): void {
  const file = fromRepository('stacks', `Pulumi.${stack}.yaml`)
  const example = fromRepository('stacks', 'defaults', `Pulumi.${stack}.yaml`)
  if (!existsSync(file)) {
    if (existsSync(example)) copyFileSync(example, file)
    return
  }
  const text = readFileSync(file, 'utf8')
  const clean = withoutSalt(text)
  if (clean !== text) writeFileSync(file, clean)
}

export function withoutSalt(config: string): string {
  return /^\s*(-\s*)?secure:/m.test(config) ? config : config.replace(/^encryptionsalt:.*\n?/m, '')
}

async function pulumi(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const result = await run(pulumiBinary(env), ['--non-interactive', ...args], {
    cwd: repository,
    env: pulumiEnvironment(env),
    timeout: 60_000,
  })
  // Another process may have made it meanwhile.
  if (result.code === 0 || /already exists/.test(result.stderr)) return
  throw new SetupError(
    `pulumi ${args.join(' ')} failed:\n  ${result.stderr.trim().split('\n').slice(-5).join('\n  ')}`,
  )
}
