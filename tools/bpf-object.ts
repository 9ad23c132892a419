/** The udp backend's BPF programs, compiled once for every version of their source and kept in the user's cache. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findCommand, run } from './commands.ts'
import { multiarch } from './packages.ts'
import { cacheFolder, fromRepository } from './paths.ts'
import { SetupError, type Part, type Work } from './work.ts'

export const bpfSource: string = fromRepository('modules', 'bpf', 'udp.bpf.c')

/** `-g`: maps of the .maps section need BTF. The include folder: clang's bpf target leaves out the processor's own. */
const clangArguments = ['-O2', '-g', '-Wall', '-target', 'bpf', `-I/usr/include/${multiarch}`]

/** Where the object of this source stands or will stand. */
export function bpfObjectPath(source: string = bpfSource, env: NodeJS.ProcessEnv = process.env): string {
  const key = createHash('sha256')
    .update(readFileSync(source))
    .update(clangArguments.join('\0'))
    .digest('hex')
  return join(cacheFolder(env), 'bpf', `udp-${key.slice(0, 32)}.o`)
}

/**
 * The path of the compiled object; compiles it where it is missing.
 * @throws SetupError where clang or its headers are missing, or the source does not compile
 */
export async function bpfObject(
  source: string = bpfSource,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const path = bpfObjectPath(source, env)
  if (existsSync(path)) return path
  const clang = findCommand('clang', env)
  if (clang === undefined) {
    throw new SetupError(
      'clang is missing; the udp backend compiles its BPF programs with it: apt-get install clang libbpf-dev, or run npm run lab',
    )
  }
  mkdirSync(join(path, '..'), { recursive: true })
  const made = `${path}.${process.pid}`
  try {
    const result = await run(clang, [...clangArguments, '-c', source, '-o', made], { env })
    if (result.code !== 0) {
      const hint = /file not found/.test(result.stderr) ? '\n  apt-get install libbpf-dev linux-libc-dev' : ''
      throw new SetupError(
        `clang cannot compile ${source}:\n  ${result.stderr.trim().split('\n').slice(0, 8).join('\n  ')}${hint}`,
      )
    }
    renameSync(made, path)
  } finally {
    rmSync(made, { force: true })
  }
  return path
}

export const bpfObjectPart: Part = {
  name: "the udp backend's BPF object",
  plan: () => Promise.resolve(planBpfObject()),
}

export function planBpfObject(
  source: string = bpfSource,
  env: NodeJS.ProcessEnv = process.env,
): Work | undefined {
  if (!existsSync(source) || existsSync(bpfObjectPath(source, env))) return undefined
  const path = bpfObjectPath(source, env)
  return {
    problems: [],
    outside: [`compile ${source} into ${path}`],
    tasks: [
      {
        title: 'compiling the BPF programs of the udp backend',
        // The other backends work without: who uses udp meets the same error again, with the same remedy.
        run: async (say) => {
          await bpfObject(source, env).catch((error: unknown) => {
            if (!(error instanceof SetupError)) throw error
            say(error.message)
            console.warn(`  note: ${error.message}`)
          })
        },
      },
    ],
  }
}
