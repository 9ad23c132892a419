/** Set-up's look at the kernel: once for every kernel, since trying takes half a second. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { dirname, join } from 'node:path'
import { findCommand } from './commands.ts'
import { lacking, probeKernel, type Kernel } from './kernel.ts'
import { makePrivate } from './own-folder.ts'
import { ownFolder } from './paths.ts'
import { currentStack } from './stacks.ts'
import { SetupError, type Part, type Work } from './work.ts'

/** Holds the release of the last kernel that was found fit, and for which stack. */
function noteFile(): string {
  return join(ownFolder(), 'kernel')
}

/** A new build of a kernel of the same release counts as the same kernel. */
function note(stack: string): string {
  return `${release()} ${stack}\n`
}

export const kernelPart: Part = { name: 'the kernel', plan: () => planKernel() }

export async function planKernel(
  stack: string = currentStack() ?? 'vxlan',
  file: string = noteFile(),
  probe: () => Promise<Kernel> = probeKernel,
): Promise<Work | undefined> {
  if (existsSync(file) && readFileSync(file, 'utf8') === note(stack)) return undefined
  const remember = () => {
    makePrivate(dirname(file))
    writeFileSync(file, note(stack))
  }
  if (findCommand('ip') !== undefined && findCommand('unshare') !== undefined) {
    const kernel = await probe()
    const problems = kernelProblems(kernel, stack)
    if (problems.length > 0) return { problems, outside: [], tasks: [] }
    // What could not be tried yet (iptables is missing, say) is tried again after its installation.
    if (
      kernel.offers.every(
        (offer) => offer.offered !== 'unknown' || (stack !== 'udp' && offer.why.startsWith('bpftool')),
      )
    ) {
      remember()
      return undefined
    }
  }
  return {
    problems: [],
    outside: [],
    tasks: [
      {
        title: 'trying what this kernel offers',
        run: async () => {
          const problems = kernelProblems(await probe(), stack)
          if (problems.length > 0) throw new SetupError(problems.join('\n'))
          remember()
        },
      },
    ],
  }
}

/** What the selected stack needs and this kernel lacks: one line each, with the remedy. */
export function kernelProblems(kernel: Kernel, stack: string): string[] {
  const remedy = `load or install the kernel's modules (modprobe; Debian: a linux-image-amd64 kernel, Ubuntu: linux-modules-extra-${kernel.release})`
  const backend = stack === 'udp' ? 'udp (bpf)' : stack
  const other =
    stack === 'host-gw' ? '' : '; or take the backend that needs least: PULUMI_STACK=host-gw npm run lab'
  return [
    ...lacking(kernel, 'every lab').map(
      (feature) => `kernel ${kernel.release} has no ${feature}, which every lab needs: ${remedy}`,
    ),
    ...lacking(kernel, backend).map(
      (feature) =>
        `kernel ${kernel.release} has no ${feature}, which the stack ${stack} needs: ${remedy}${other}`,
    ),
  ]
}
