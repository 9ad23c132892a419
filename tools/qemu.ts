/**
 * What `machine: qemu` needs, and only where an inventory in use says so: qemu and mmdebstrap, from the system's
 * packages, and the image that VMs start from, built with them.
 */
import { findImage, imagesFolder, makeImage } from '../machines/qemu/image.ts'
import { isThere, planPackages, type Tool } from './packages.ts'
import { isWished } from './wish.ts'
import { problem, SetupError, type Part, type Work } from './work.ts'

const neededFor = 'machine: qemu'

const qemuTools: readonly Tool[] = [
  { name: 'qemu-system-x86_64', neededFor, packages: [['qemu-system-x86']] },
  { name: 'qemu-img', neededFor, packages: [['qemu-utils']] },
  { name: 'mmdebstrap', neededFor, packages: [['mmdebstrap', 'debian-archive-keyring']] },
  { name: 'mke2fs', neededFor, packages: [['e2fsprogs']] },
]

/** `--qemu` asks for it whatever the inventories say: the tests of it need it; `--vms` for its stack, too. */
export const qemuPart: Part = {
  name: 'qemu and the image of VMs',
  plan: async () =>
    process.argv.some((word) => word === '--qemu' || word === '--vms') ||
    isWished({ key: 'machine', value: 'qemu' })
      ? planQemu()
      : undefined,
}

/** Whether an inventory in use wants it is the caller's question. */
export async function planQemu(env: NodeJS.ProcessEnv = process.env): Promise<Work | undefined> {
  if (process.arch !== 'x64')
    return problem(`${neededFor} knows x86_64 computers only, and this one is ${process.arch}`)
  const packages = await planPackages(
    env,
    qemuTools.filter((tool) => !isThere(tool, env)),
  )
  if (packages && packages.problems.length > 0) return packages
  const image: Work | undefined = findImage()
    ? undefined
    : {
        problems: [],
        outside: [`build the image of VMs into ${imagesFolder()} (${neededFor}; about 2 minutes, 320 MB)`],
        tasks: [{ title: 'building the image of VMs', run: buildImage }],
      }
  const works = [packages, image].filter((work) => work !== undefined)
  if (works.length === 0) return undefined
  return {
    problems: [],
    outside: works.flatMap(({ outside }) => outside),
    tasks: works.flatMap(({ tasks }) => tasks),
  }
}

async function buildImage(say: (detail: string) => void): Promise<void> {
  await makeImage(say).catch((error: Error) => {
    throw new SetupError(`${error.message}\n  is Debian's archive to be reached? run set-up again then`)
  })
}
