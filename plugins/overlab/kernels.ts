/** The resource overlab:index:Kernels: what the kernels of some hosts offer, found by trying. */
import { z } from 'zod'
import { hostName, name, type Name } from '../../inventory/values.ts'
import { forgetFound, recordFound } from '../../machines/found.ts'
import { hasFou } from '../../modules/fou.ts'
import { HostError } from '../../remote/errors.ts'
import type { Pool } from '../../remote/pool.ts'
import type { Context, ResourceHandlers } from '../server/handlers.ts'
import { type Form, gone, resource } from './resource.ts'
import { targetOfMany } from './target.ts'

const inputs = z.strictObject({
  lab: name.exactOptional().describe('For which lab this computer remembers the answer.'),
  identityFile: z.string().min(1).describe('Path of the SSH client key for all hosts that name none.'),
  targets: z.record(hostName, targetOfMany).describe("How each host is reached, by the host's name."),
})
type Inputs = z.output<typeof inputs>

const outputs = z.object({
  fou: z
    .record(z.string(), z.boolean())
    .describe("By the host's name: whether its kernel has fou and ipip, for the udp backend."),
})

export const kernelsForm: Form<Inputs, z.output<typeof outputs>> = {
  description:
    'What the kernels of some hosts offer, asked again at every refresh. It is needed before their data plane can be planned.',
  inputs,
  outputs,
  replaceOn: [],
}

export function kernels(pool: Pool): Required<ResourceHandlers> {
  return resource(kernelsForm, {
    async create(args, context) {
      return { id: context.name, learnt: await ask(args, context) }
    },
    async read(args, context) {
      try {
        return { learnt: await ask(args, context) }
      } catch (error) {
        // A host that does not answer is booted by this very update, and asked then.
        if (!(error instanceof HostError)) throw error
        context.log.warning(error.message)
        return gone
      }
    },
    async update(args, context) {
      return { learnt: await ask(args, context) }
    },
    async delete({ lab, targets }) {
      if (lab) for (const host of Object.keys(targets)) forgetFound(lab, host as Name)
    },
  })

  async function ask(args: Inputs, context: Context): Promise<{ fou: Record<string, boolean> }> {
    const answers = await Promise.all(
      Object.entries(args.targets).map(async ([host, target]) => {
        const session = await pool.session({ name: host, identityFile: args.identityFile, ...target })
        const step = 'ask the kernel'
        const { stdout, stderr, exitCode } = await session.run(
          `if { ${hasFou}; }; then echo yes; else echo no; fi\n`,
          {
            step,
            signal: context.signal,
          },
        )
        const answer = stdout.trim()
        if (exitCode !== 0 || !['yes', 'no'].includes(answer))
          throw new HostError({ host, step, why: 'whether it has fou cannot be told', exitCode, stderr })
        return [host, answer === 'yes'] as const
      }),
    )
    if (args.lab) for (const [host, fou] of answers) recordFound(args.lab, host as Name, { fou })
    return { fou: Object.fromEntries(answers) }
  }
}
