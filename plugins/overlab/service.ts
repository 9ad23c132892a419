/** The resource overlab:index:Service: one process on one host. */
import { z } from 'zod'
import { HostError } from '../../remote/errors.ts'
import type { Pool } from '../../remote/pool.ts'
import type { Result } from '../../remote/session.ts'
import type { Target } from '../../remote/target.ts'
import type { ResourceHandlers } from '../server/handlers.ts'
import { type Form, gone, resource } from './resource.ts'
import { convergeScript, exits, patience, readScript, removeScript } from './service-script.ts'
import { target } from './target.ts'

/** No word that a program gets can hold a zero byte. */
const word = z.string().refine((text) => !text.includes('\0'), 'holds a zero byte')
const absolute = z
  .string()
  .regex(/^(\/[A-Za-z0-9_.-]*[A-Za-z0-9_-]){2,}$/, 'is not an absolute path of a folder')

const inputs = z.strictObject({
  target: target.describe('The host, and how it is reached.'),
  unit: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'is not a name; use lower-case letters, digits and dashes')
    .describe('What it is called on its host; its pid, log and settings are in /run/overlab-services/UNIT.'),
  argv: z
    .array(word)
    .min(1)
    .describe(
      'The program and its arguments; no script, since the kernel shows the interpreter of a script.',
    ),
  environment: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), word)
    .describe('Its environment, next to PATH and HOME; nothing else is in it.'),
  folders: z.array(absolute).describe('Folders of its own: made before it starts, removed with it.'),
  ready: word.describe('Shell lines that succeed once it does its work; `$log` is the file with its output.'),
  cleanup: word.describe(
    'Shell lines that take away what it leaves; run when it ends for good, or starts with other settings.',
  ),
  triggers: z.array(z.string()).describe('It is started again when one of these texts changes.'),
})

type Inputs = z.output<typeof inputs>

const outputs = z.object({ pid: z.int().describe('Its process id on the host.') })

export const serviceForm: Form<Inputs, z.output<typeof outputs>> = {
  description:
    'One process on one host, started in the background and known by its id, start time and words. Nothing restarts it but `pulumi up`.',
  inputs,
  outputs,
  replaceOn: ['unit'],
}

export function service(pool: Pool): Required<ResourceHandlers> {
  return resource(serviceForm, {
    async create(args, { log, signal }) {
      log.status('starting')
      return { id: `${args.target.name}/${args.unit}`, learnt: learnt(await converge(args, signal)) }
    },
    async read(args, { log, signal }) {
      try {
        const result = await run(args, readScript(args), `read ${args.unit}`, signal)
        if (result.exitCode === exits.notReady)
          log.warning(
            `${args.target.name}: ${args.unit} runs, but does not do its work; it will be started anew`,
          )
        return result.exitCode === 0 ? { learnt: learnt(result) } : gone
      } catch (error) {
        // Of a host that does not answer nothing is known: the next update starts what is not there.
        if (!(error instanceof HostError)) throw error
        log.warning(error.message)
        return gone
      }
    },
    async update(args, { log, signal }) {
      log.status('restarting')
      return { learnt: learnt(await converge(args, signal)) }
    },
    async delete(args, { signal }) {
      const step = `end ${args.unit}`
      const result = await run(args, removeScript(args), step, signal)
      if (result.exitCode !== 0) throw failure(args, step, 'could not be ended', result)
    },
  })

  async function converge(args: Inputs, signal: AbortSignal): Promise<Result> {
    const step = `start ${args.unit}`
    const result = await run(args, convergeScript(args), step, signal)
    if (result.exitCode === 0) return result
    throw failure(
      args,
      step,
      result.exitCode === exits.ended
        ? 'the process ended right after its start; this is what it said last'
        : result.exitCode === exits.notReady
          ? `the process runs, but is not ready within ${patience} s; this is what it said last`
          : 'the process could not be started',
      result,
    )
  }

  async function run(args: Inputs, script: string, step: string, signal: AbortSignal): Promise<Result> {
    const session = await pool.session(args.target satisfies Target)
    return session.run(script, { step, signal, timeoutMs: 1000 * (2 * patience) })
  }
}

function learnt({ stdout }: Result): { pid: number } {
  return { pid: Number(stdout.split(' ')[0]) }
}

function failure(args: Inputs, step: string, why: string, { exitCode, stderr }: Result): HostError {
  return new HostError({
    host: args.target.name,
    step,
    why,
    command: args.argv.join(' '),
    ...(exitCode === exits.ended || exitCode === exits.notReady ? {} : { exitCode }),
    stderr,
    ...hintFor(args, stderr),
  })
}

/** What to do, where the process' own words say what is wrong. */
function hintFor({ argv, target }: Inputs, stderr: string): { hint?: string } {
  if (/No such file or directory/.test(stderr) && stderr.includes(argv[0]!))
    return { hint: `${argv[0]} is not on ${target.name}; npm run setup installs what the inventory needs` }
  if (/Failed to check br_netfilter/.test(stderr))
    return { hint: 'flanneld needs the kernel module br_netfilter: modprobe br_netfilter on this machine' }
  return {}
}
