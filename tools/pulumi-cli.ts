/**
 * Pulumi's CLI and its Node language host, where the npm launcher `pulumi` looks for them
 * (`$PULUMI_HOME/versions/VERSION/bin`): downloaded as the launcher does it, and where that host cannot be reached,
 * built from Go modules pinned in tools/go.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findCommand, isExecutable, run } from './commands.ts'
import { pulumiDownloads } from './internet.ts'
import { fromRepository, pulumiHome, repository } from './paths.ts'
import { languageHostVersion, pulumiVersion } from './versions.ts'
import { SetupError, problem, type Part, type Task, type Work } from './work.ts'

interface Program {
  readonly name: 'pulumi' | 'pulumi-language-nodejs'
  /** Folder with go.mod and go.sum. */
  readonly folder: string
  readonly package: string
  readonly version: string
  /** What a first build took on 2 cores. */
  readonly takes: string
}

const programs: readonly Program[] = [
  {
    name: 'pulumi',
    folder: 'tools/go/pulumi',
    package: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
    version: pulumiVersion,
    takes: 'about 7 minutes the first time',
  },
  {
    name: 'pulumi-language-nodejs',
    folder: 'tools/go/language-nodejs',
    package: 'github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs',
    version: languageHostVersion,
    takes: 'about 1 minute the first time',
  },
]

/** From this version on Go fetches a newer Go by itself where a module asks for one. */
const oldestGo = [1, 21] as const

export function pulumiFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(pulumiHome(env), 'versions', pulumiVersion, 'bin')
}

/** The CLI itself, not the npm launcher: one process less, and the same in tests. */
export function pulumiBinary(env: NodeJS.ProcessEnv = process.env): string {
  return join(pulumiFolder(env), 'pulumi')
}

export const pulumiPart: Part = { name: 'the Pulumi CLI', plan: () => planPulumi() }

export async function planPulumi(
  env: NodeJS.ProcessEnv = process.env,
  downloads: () => Promise<boolean> = pulumiDownloads,
): Promise<Work | undefined> {
  const folder = pulumiFolder(env)
  const missing = programs.filter((program) => !isExecutable(join(folder, program.name)))
  if (missing.length === 0) return undefined
  const what = missing.map((program) => program.name).join(' and ')
  // A folder with a CLI but no language host is half a build; the download brings both or none.
  if (missing.length === programs.length && (await downloads())) {
    return {
      problems: [],
      outside: [`download Pulumi ${pulumiVersion} from get.pulumi.com into ${folder}`],
      tasks: [
        { title: `downloading Pulumi ${pulumiVersion}`, run: (say) => downloadOrBuild(folder, env, say) },
      ],
    }
  }
  const noGo = await goProblem(env)
  if (noGo !== undefined) return problem(`${what} (Pulumi ${pulumiVersion}): ${noGo}`)
  return {
    problems: [],
    outside: missing.map(
      (program) =>
        `build ${program.name} ${program.version} from Go modules into ${folder} (get.pulumi.com cannot be reached; ${program.takes})`,
    ),
    tasks: missing.map((program): Task => ({
      title: `building ${program.name} ${program.version}`,
      run: (say) => build(program, folder, env, say),
    })),
  }
}

/** Why Go cannot build here, with what to do about it; undefined where it can. */
async function goProblem(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const wanted = /^go (\S+)/m.exec(readFileSync(fromRepository('tools/go/pulumi/go.mod'), 'utf8'))?.[1] ?? ''
  const why = 'get.pulumi.com cannot be reached to download it, and building it needs Go'
  const get = `install Go ${wanted} or newer (https://go.dev/dl; Debian and Ubuntu: apt-get install golang-go where that is new enough) and put it in PATH`
  const go = findCommand('go', env)
  if (go === undefined) return `${why}, which is missing: ${get}`
  const { stdout } = await run(go, ['env', 'GOVERSION', 'GOTOOLCHAIN'], { env, cwd: '/' })
  const [version = '', toolchain = ''] = stdout.split('\n')
  return isOldGo(version, toolchain, wanted)
    ? `${why} ${wanted}; here is ${version || 'an unknown version'}: ${get}`
    : undefined
}

/**
 * Is this Go too old, and cannot fetch a newer one?
 * @param version `go1.26.8` @param toolchain GOTOOLCHAIN, `auto` or `local` @param wanted `1.25.11`
 */
export function isOldGo(version: string, toolchain: string, wanted: string): boolean {
  const numbers = version
    .replace(/^go/, '')
    .split('.')
    .map((part) => parseInt(part, 10) || 0)
  const atLeast = (other: readonly number[]) => {
    const index = other.findIndex((part, position) => (numbers[position] ?? 0) !== part)
    return index === -1 || (numbers[index] ?? 0) > (other[index] ?? 0)
  }
  if (atLeast(wanted.split('.').map(Number))) return false
  return toolchain === 'local' || !atLeast(oldestGo)
}

async function build(
  program: Program,
  folder: string,
  env: NodeJS.ProcessEnv,
  say: (detail: string) => void,
): Promise<void> {
  mkdirSync(folder, { recursive: true })
  removeLeftovers(folder, program.name)
  // Built beside its place and renamed: whoever is killed in the middle leaves no half program, and Go's own cache
  // keeps what was compiled, so that the next run goes on from there.
  const made = join(folder, `.${program.name}.${process.pid}`)
  const flags = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${program.version}`
  try {
    const result = await run(
      findCommand('go', env) ?? 'go',
      ['build', '-trimpath', '-buildvcs=false', '-ldflags', flags, '-o', made, program.package],
      {
        cwd: fromRepository(program.folder),
        env: { ...env, GOFLAGS: '-mod=readonly', GOWORK: 'off', CGO_ENABLED: '0' },
        onLine: say,
      },
    )
    if (result.code !== 0) {
      throw new SetupError(
        `building ${program.name} failed:\n  ${result.stderr.trim().split('\n').slice(-8).join('\n  ')}\n  is the Go module proxy reachable (go env GOPROXY), and are 3 GB free in ${env['GOCACHE'] ?? '~/.cache'}? Then run set-up again; it goes on from here`,
      )
    }
    renameSync(made, join(folder, program.name))
  } finally {
    rmSync(made, { force: true })
  }
}

async function downloadOrBuild(
  folder: string,
  env: NodeJS.ProcessEnv,
  say: (detail: string) => void,
): Promise<void> {
  const root = `${dirname(folder)}.${process.pid}.download`
  mkdirSync(root, { recursive: true })
  try {
    const script = `require('pulumi/lib/download').installCLI(${JSON.stringify(pulumiVersion)}, ${JSON.stringify(root)}).catch((error) => { console.error(error.message); process.exit(1) })`
    const result = await run(process.execPath, ['--eval', script], {
      cwd: repository,
      env,
      timeout: 600_000,
      onLine: say,
    })
    if (result.code === 0 && programs.every((program) => isExecutable(join(root, 'bin', program.name)))) {
      mkdirSync(dirname(folder), { recursive: true })
      rmSync(folder, { recursive: true, force: true })
      renameSync(join(root, 'bin'), folder)
      return
    }
    say('the download failed; building from Go modules instead')
    const noGo = await goProblem(env)
    if (noGo !== undefined) {
      throw new SetupError(
        `Pulumi ${pulumiVersion}: the download failed (${result.stderr.trim().split('\n').at(-1) ?? ''}); ${noGo}`,
      )
    }
    for (const program of programs) await build(program, folder, env, say)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** What killed builds left; those of processes that still run are theirs. */
function removeLeftovers(folder: string, name: string): void {
  for (const file of readdirSync(folder)) {
    const pid = Number(new RegExp(`^\\.${name}\\.(\\d+)$`).exec(file)?.[1])
    if (!pid) continue
    try {
      process.kill(pid, 0)
    } catch {
      rmSync(join(folder, file), { force: true })
    }
  }
}
