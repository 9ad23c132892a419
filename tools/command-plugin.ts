/**
 * Pulumi's command plugin. The real one is Pulumi's own download; where that cannot be had, a small launcher takes
 * its place in Pulumi's plugin folder and runs plugins/command of this clone.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { quote } from '../remote/quote.ts'
import { isExecutable, run } from './commands.ts'
import { pulumiDownloads } from './internet.ts'
import { fromRepository, pulumiHome, repository } from './paths.ts'
import { pulumiBinary } from './pulumi-cli.ts'
import { commandPluginVersion } from './versions.ts'
import type { Part, Work } from './work.ts'

const executable = 'pulumi-resource-command'

/** Only a file that holds this line is ours to replace. */
const mark = '# overlab set-up made this launcher'

export type CommandPlugin =
  | { readonly kind: 'missing' }
  | { readonly kind: 'real' }
  /** Ours; `clone` is the repository it runs from, which may be gone. */
  | { readonly kind: 'launcher'; readonly clone: string; readonly works: boolean; readonly current: boolean }

export function pluginFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(pulumiHome(env), 'plugins', `resource-command-v${commandPluginVersion}`)
}

/** What stands in Pulumi's plugin folder. */
export function commandPlugin(env: NodeJS.ProcessEnv = process.env): CommandPlugin {
  const path = join(pluginFolder(env), executable)
  // Pulumi marks an unfinished download of its own by this file, and begins again.
  if (!isExecutable(path) || existsSync(`${pluginFolder(env)}.partial`)) return { kind: 'missing' }
  const text = readFileSync(path).subarray(0, 4096).toString('latin1')
  if (!text.startsWith('#!') || !text.includes(mark)) return { kind: 'real' }
  const clone = Buffer.from(/^# clone: (\S+)$/m.exec(text)?.[1] ?? '', 'base64url').toString()
  return {
    kind: 'launcher',
    clone,
    works:
      existsSync(join(clone, 'plugins/command/index.ts')) &&
      existsSync(join(clone, 'node_modules/.bin/node')),
    current: clone !== repository || text === launcher(repository),
  }
}

export const commandPluginPart: Part = { name: 'the command plugin', plan: () => planCommandPlugin() }

export async function planCommandPlugin(
  env: NodeJS.ProcessEnv = process.env,
  downloads: () => Promise<boolean> = pulumiDownloads,
): Promise<Work | undefined> {
  const found = commandPlugin(env)
  if (found.kind === 'real' || (found.kind === 'launcher' && found.works && found.current)) return undefined
  const folder = pluginFolder(env)
  const download = found.kind === 'missing' && (await downloads())
  return {
    problems: [],
    outside: [
      download
        ? `download Pulumi's command plugin ${commandPluginVersion} into ${folder}`
        : `write a launcher of plugins/command into ${folder} (get.pulumi.com cannot be reached for the real plugin; ` +
          `to get that one later: pulumi plugin rm resource command ${commandPluginVersion} --yes, and set-up again)`,
    ],
    tasks: [
      {
        title: `installing the command plugin ${commandPluginVersion}`,
        run: async (say) => {
          if (download && (await downloadPlugin(env, say))) return
          writeLauncher(folder)
        },
      },
    ],
  }
}

async function downloadPlugin(env: NodeJS.ProcessEnv, say: (detail: string) => void): Promise<boolean> {
  const result = await run(
    pulumiBinary(env),
    ['plugin', 'install', 'resource', 'command', commandPluginVersion],
    {
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: '1' },
      timeout: 180_000,
      onLine: say,
    },
  )
  return result.code === 0 && commandPlugin(env).kind === 'real'
}

/** The user who owns the clone, who may write what the launcher runs; where it is gone, who runs set-up. */
function ownerOf(clone: string): number {
  return existsSync(clone) ? statSync(clone).uid : (process.getuid?.() ?? 0)
}

/**
 * The launcher's text. Other projects of the user see the same plugin folder, so it says what to do when this
 * clone has been moved or deleted, instead of failing oddly. Once a clone is gone, somebody else may be able to make a
 * folder of its name: so nothing is run unless every folder from / to the clone is root's, the user's or that of the
 * clone's `owner`, and nobody else may write there. A group of the owner's own name (Debian's default) is the owner.
 */
export function launcher(clone: string, owner: number = ownerOf(clone)): string {
  return `#!/bin/sh
${mark}: Pulumi's command plugin ${commandPluginVersion} could not be downloaded when overlab was set up.
# clone: ${Buffer.from(clone).toString('base64url')}
clone=${quote(clone)}
if [ ! -f "$clone/plugins/command/index.ts" ] || [ ! -x "$clone/node_modules/.bin/node" ]; then
  echo "pulumi-resource-command: this launcher runs overlab's command plugin from $clone, which is gone." >&2
  echo "Run overlab's set-up in its new place (npm run lab), or: pulumi plugin rm resource command ${commandPluginVersion} --yes; Pulumi then downloads its own plugin." >&2
  exit 1
fi
trusted() {
  [ "$(readlink -f -- "$clone")" = "$clone" ] || { place="the link in $clone"; return 1; }
  place=$clone
  while :; do
    set -- $(stat -c '%u %a %U %G' -- "$place")
    case $1 in 0 | ${owner} | "$(id -u)") ;; *) return 1 ;; esac
    case $2 in
      [1357]???) [ "$place" != "$clone" ] || return 1 ;; # as /tmp: nobody takes another's folder away
      *[2367]) return 1 ;;
      *[2367]?) [ "$3" = "$4" ] || return 1 ;;
    esac
    [ "$place" != / ] || return 0
    place=$(dirname -- "$place")
  done
}
if ! trusted; then
  echo "pulumi-resource-command: $place belongs to another user, or others may write there, so $clone is not run." >&2
  echo "Move the clone to where only you write, then run overlab's set-up there (npm run setup)." >&2
  exit 1
fi
exec "$clone/node_modules/.bin/node" "$clone/plugins/command/index.ts" "$@"
`
}

function writeLauncher(folder: string): void {
  mkdirSync(dirname(folder), { recursive: true })
  // Pulumi takes a folder of this name for an installed plugin, so it appears whole.
  const made = mkdtempSync(join(dirname(folder), '.overlab-'))
  try {
    writeFileSync(join(made, executable), launcher(fromRepository()), { mode: 0o755 })
    chmodSync(made, 0o755)
    if (existsSync(folder)) renameSync(join(made, executable), join(folder, executable))
    else renameSync(made, folder)
    rmSync(`${folder}.partial`, { force: true })
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}
