/**
 * Pulumi's CLI and its Node language host, where the npm launcher `pulumi` looks for them
 * (`$PULUMI_HOME/versions/VERSION/bin`): downloaded as the launcher does it, and where that host cannot be reached,
 * built from Go modules pinned in tools/go.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isExecutable, run } from './commands.ts'
import { buildGo, goProblem, type GoProgram } from './go-build.ts'
import { pulumiDownloads } from './internet.ts'
import { pulumiHome, repository } from './paths.ts'
import { languageHostVersion, pulumiVersion } from './versions.ts'
import { SetupError, problem, type Part, type Task, type Work } from './work.ts'

interface Program extends GoProgram {
  /** What a first build took on 2 cores. */
  readonly takes: string
}

const versionVariable = 'github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v'

const programs: readonly Program[] = [
  {
    name: 'pulumi',
    folder: 'tools/go/pulumi',
    package: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
    version: pulumiVersion,
    versionVariable,
    cgo: false,
    takes: 'about 7 minutes the first time',
  },
  {
    name: 'pulumi-language-nodejs',
    folder: 'tools/go/language-nodejs',
    package: 'github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs',
    version: languageHostVersion,
    versionVariable,
    cgo: false,
    takes: 'about 1 minute the first time',
  },
]

const noDownload = 'get.pulumi.com cannot be reached to download it, and building it needs Go'
const noGoFor = (env: NodeJS.ProcessEnv) => goProblem(env, 'tools/go/pulumi', noDownload)

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
  const noGo = await noGoFor(env)
  if (noGo !== undefined) return problem(`${what} (Pulumi ${pulumiVersion}): ${noGo}`)
  return {
    problems: [],
    outside: missing.map(
      (program) =>
        `build ${program.name} ${program.version} from Go modules into ${folder} (get.pulumi.com cannot be reached; ${program.takes})`,
    ),
    tasks: missing.map((program): Task => ({
      title: `building ${program.name} ${program.version}`,
      run: (say) => buildGo(program, folder, env, say),
    })),
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
    const noGo = await noGoFor(env)
    if (noGo !== undefined) {
      throw new SetupError(
        `Pulumi ${pulumiVersion}: the download failed (${result.stderr.trim().split('\n').at(-1) ?? ''}); ${noGo}`,
      )
    }
    for (const program of programs) await buildGo(program, folder, env, say)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
