/** Programs built from Go modules that this project pins (tools/go): is Go good enough, and the build itself. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findCommand, run } from './commands.ts'
import { fromRepository } from './paths.ts'
import { livingProcess } from './process.ts'
import { SetupError } from './work.ts'

export interface GoProgram {
  /** The file that is made. */
  readonly name: string
  /** Folder with go.mod and go.sum, inside the repository. */
  readonly folder: string
  readonly package: string
  readonly version: string
  /** The variable that the program prints as its version, and what goes before the number. */
  readonly versionVariable: string
  /** Parts of it are C, so that a C compiler is needed. */
  readonly cgo: boolean
}

/** From this version on Go fetches a newer Go by itself where a module asks for one. */
const oldestGo = [1, 21] as const

/**
 * Why Go cannot build here, with what to do about it; undefined where it can.
 * @param folder of the go.mod that says which Go it needs @param why it is needed at all, `..., and building it needs Go`
 */
export async function goProblem(
  env: NodeJS.ProcessEnv,
  folder: string,
  why: string,
): Promise<string | undefined> {
  const wanted = /^go (\S+)/m.exec(readFileSync(fromRepository(folder, 'go.mod'), 'utf8'))?.[1] ?? ''
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

/** @throws SetupError with the compiler's last words */
export async function buildGo(
  program: GoProgram,
  into: string,
  env: NodeJS.ProcessEnv,
  say: (detail: string) => void,
): Promise<void> {
  mkdirSync(into, { recursive: true })
  removeLeftovers(into, program.name)
  // Built beside its place and renamed: whoever is killed in the middle leaves no half program, and Go's own cache
  // keeps what was compiled, so that the next run goes on from there.
  const made = join(into, `.${program.name}.${process.pid}`)
  const flags = `-s -w -X ${program.versionVariable}${program.version}`
  const words = ['build', '-trimpath', '-buildvcs=false', '-ldflags', flags, '-o', made, program.package]
  try {
    // Minutes of all cores: whoever works on this machine meanwhile goes first.
    const result = await run(
      findCommand('nice', env) ?? 'nice',
      ['-n', '19', findCommand('go', env) ?? 'go', ...words],
      {
        cwd: fromRepository(program.folder),
        env: { ...env, GOFLAGS: '-mod=readonly', GOWORK: 'off', CGO_ENABLED: program.cgo ? '1' : '0' },
        onLine: say,
      },
    )
    if (result.code !== 0) {
      throw new SetupError(
        `building ${program.name} failed:\n  ${result.stderr.trim().split('\n').slice(-8).join('\n  ')}\n  is the Go module proxy reachable (go env GOPROXY), and are 3 GB free in ${env['GOCACHE'] ?? '~/.cache'}? Then run set-up again; it goes on from here`,
      )
    }
    renameSync(made, join(into, program.name))
  } finally {
    rmSync(made, { force: true })
  }
}

/** What killed builds left; those of processes that still run are theirs. */
function removeLeftovers(folder: string, name: string): void {
  const start = `.${name}.`
  for (const file of readdirSync(folder)) {
    const pid = file.startsWith(start) ? Number(file.slice(start.length)) : 0
    if (pid > 0 && !livingProcess(pid)) rmSync(join(folder, file), { force: true })
  }
}
