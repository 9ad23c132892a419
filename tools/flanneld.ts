/**
 * What `control: flanneld` needs, and only where an inventory in use says so: flanneld, built from its Go module, and
 * etcd with its client, from the system's packages.
 */
import { basename } from 'node:path'
import { findCommand, isExecutable } from './commands.ts'
import { flanneldBinary, flanneldFolder } from './flanneld-binary.ts'
import { flanneldWanted } from './flanneld-wanted.ts'
import { buildGo, goProblem, type GoProgram } from './go-build.ts'
import { isThere, planPackages, type Tool } from './packages.ts'
import { flanneldVersion } from './versions.ts'
import type { Part, Work } from './work.ts'

export const neededFor = 'control: flanneld'

export const etcdTools: readonly Tool[] = [
  { name: 'etcd', neededFor, packages: [['etcd-server'], ['etcd']] },
  { name: 'etcdctl', neededFor, packages: [['etcd-client']] },
]
export const compiler: Tool = { name: 'gcc', neededFor, packages: [['gcc', 'libc6-dev']] }

function program(): GoProgram {
  return {
    name: basename(flanneldBinary()),
    folder: 'tools/go/flanneld',
    package: 'github.com/flannel-io/flannel',
    version: flanneldVersion,
    versionVariable: 'github.com/flannel-io/flannel/pkg/version.Version=v',
    // The udp backend's inner loop is C.
    cgo: true,
  }
}

export const flanneldPart: Part = {
  name: 'flanneld and etcd',
  plan: async () => (flanneldWanted() ? planFlanneld() : undefined),
}

/** Whether an inventory in use wants it is the caller's question. */
export async function planFlanneld(env: NodeJS.ProcessEnv = process.env): Promise<Work | undefined> {
  const build = !isExecutable(flanneldBinary(env))
  const tools = [...etcdTools, ...(build && !env['CC'] ? [compiler] : [])]
  const works = [
    await planPackages(
      env,
      tools.filter((tool) => !isThere(tool, env)),
    ),
    await planBuild(env),
  ].filter((work) => work !== undefined)
  if (works.length === 0) return undefined
  return {
    problems: works.flatMap(({ problems }) => problems),
    outside: works.flatMap(({ outside }) => outside),
    tasks: works.flatMap(({ tasks }) => tasks),
  }
}

async function planBuild(env: NodeJS.ProcessEnv): Promise<Work | undefined> {
  if (isExecutable(flanneldBinary(env))) return undefined
  const flanneld = program()
  const problems = [
    await goProblem(env, flanneld.folder, `${neededFor} builds flanneld ${flanneldVersion}, which needs Go`),
    compilerProblem(env),
  ].filter((line) => line !== undefined)
  if (problems.length > 0) return { problems, outside: [], tasks: [] }
  return {
    problems: [],
    outside: [
      `build flanneld ${flanneldVersion} from Go modules into ${flanneldFolder(env)} (${neededFor}; 2 to 4 minutes the first time)`,
    ],
    tasks: [
      {
        title: `building flanneld ${flanneldVersion}`,
        run: (say) => buildGo(flanneld, flanneldFolder(env), env, say),
      },
    ],
  }
}

/** A compiler of the user's own choice; without one, gcc comes from the system's packages. */
function compilerProblem(env: NodeJS.ProcessEnv): string | undefined {
  const chosen = env['CC']
  if (!chosen || isExecutable(chosen) || findCommand(chosen, env) !== undefined) return undefined
  return `${neededFor} builds flanneld ${flanneldVersion}, parts of which are C, and $CC names ${chosen}, which is missing: unset CC, then run set-up again`
}
