/** The build of the VMs' image, from nothing, in a folder of its own: the one that the user's VMs start from stays. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { makeImage } from '../../machines/qemu/image.ts'
import type { Bench } from './bench-options.ts'
import { ownFolder, removeFolder } from './leftovers.ts'
import { megabytes, seconds, table, type Section } from './table.ts'

export interface ImageBuild {
  readonly ms: number
  /** What it is: `Debian bookworm, kernel 6.1.0-...-cloud-amd64`. */
  readonly about: string
  /** By file: what it takes on the disk, in bytes. */
  readonly files: Readonly<Record<string, number>>
}

/** Once: it takes more than a minute, most of it for the archive's packages. */
export async function measureImage({ signal, say }: Bench): Promise<ImageBuild> {
  const images = ownFolder('image', 'cache')
  mkdirSync(images, { recursive: true })
  try {
    const start = performance.now()
    const { folder } = await makeImage((step) => say(`image: ${step}`), { images, signal })
    const ms = performance.now() - start
    const about = readFileSync(join(folder, 'about'), 'utf8').trim()
    // stat counts blocks of 512 bytes; the file is much longer than what is in it.
    const files = readdirSync(folder).map((file) => [file, statSync(join(folder, file)).blocks * 512])
    return { ms, about, files: Object.fromEntries(files) as Record<string, number> }
  } finally {
    removeFolder(images)
  }
}

export function imageSections({ ms, about, files }: ImageBuild): Section[] {
  const all = Object.values(files).reduce((sum, bytes) => sum + bytes, 0)
  const large = Object.entries(files).filter(([, bytes]) => bytes >= 100_000)
  return [
    [
      `The image of VMs (${about.replace(/, \d+ MiB$/, '')})`,
      table(
        ['', 'figure'],
        [
          ['built from nothing, s', seconds(ms, 1)],
          ['on disk, MB', megabytes(all)],
          ...large.map(([file, bytes]) => [`of it \`${file}\`, MB`, megabytes(bytes)]),
        ],
      ),
    ],
  ]
}
