/**
 * The image that VMs start from: a minimal Debian with systemd and its cloud kernel, made once with mmdebstrap by
 * `image.sh` and kept in the user's cache. Its name is a hash of what it is made from, so that another version of
 * overlab makes another one.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { HostError } from '../../remote/errors.ts'
import { cacheFolder } from '../../tools/paths.ts'
import { path, runScript } from '../lab/script.ts'
import { labUser } from '../privilege.ts'

const run = promisify(execFile)

/** Where Debian is not this system, its release that the VMs get. */
const otherwise = 'bookworm'

/** What modules, measurements and traces run on a machine. */
const packages = [
  ...['systemd', 'systemd-sysv', 'udev', 'kmod', 'procps', 'openssh-server'],
  ...['iproute2', 'iptables', 'iputils-ping', 'iperf3', 'tcpdump', 'ethtool', 'conntrack', 'bpftool'],
]

/** GiB, most of them empty: the file is as large as what is in it. */
const size = 2

export function imagesFolder(): string {
  return join(cacheFolder(), 'qemu')
}

export interface Image {
  /** Its folder: `kernel`, `initrd`, `root.img`. */
  readonly folder: string
  readonly disk: string
}

/** Undefined where it is not made yet. What is there is whole. */
export function findImage(images = imagesFolder()): Image | undefined {
  const folder = join(images, imageKey())
  return existsSync(folder) ? { folder, disk: join(folder, 'root.img') } : undefined
}

/**
 * The image, made first where it is missing (about two minutes); one build at a time.
 * @param images where it is kept
 * @param signal ends a build
 * @throws HostError with the end of what the build printed
 */
export async function makeImage(
  say: (step: string) => void,
  { images = imagesFolder(), signal }: { readonly images?: string; readonly signal?: AbortSignal } = {},
): Promise<Image> {
  const made = findImage(images)
  if (made) return made
  await mkdir(images, { recursive: true })
  const place = { host: 'this machine', step: 'build the image of VMs' }
  const args = [
    images,
    imageKey(),
    suite(),
    packages.join(),
    String(size),
    String(labUser()),
    ...(await sources()),
  ]
  await runScript(place, 'qemu/build.sh', args, undefined, say, signal)
  const image = findImage(images)
  if (!image) throw new HostError({ ...place, why: `${images} does not have it after a build` })
  return image
}

/** A hash of all that goes into it but the packages' versions, which are the archive's newest. */
function imageKey(): string {
  const hash = createHash('sha256').update(JSON.stringify([suite(), packages, size]))
  const guest = join(import.meta.dirname, 'guest')
  const files = [
    join(import.meta.dirname, 'image.sh'),
    ...readdirSync(guest).map((file) => join(guest, file)),
  ]
  for (const file of files.toSorted()) hash.update(readFileSync(file))
  return `debian-${suite()}-${hash.digest('hex').slice(0, 12)}`
}

/** This system's own release where it is Debian. */
function suite(): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const word = (key: string) => new RegExp(`^${key}="?([a-z]+)"?$`, 'm').exec(release)?.[1]
  return (word('ID') === 'debian' ? word('VERSION_CODENAME') : undefined) ?? otherwise
}

/**
 * Lines of a sources.list: where this system itself gets Debian from, since a network may have a mirror of its own.
 * Empty = mmdebstrap's default (deb.debian.org).
 */
async function sources(): Promise<string[]> {
  const { stdout } = await run(
    'apt-get',
    ['indextargets', '--format', '$(CREATED_BY) $(COMPONENT) $(CODENAME) $(REPO_URI)', 'Origin: Debian'],
    { env: { PATH: path } },
  ).catch(() => ({ stdout: '' }))
  return sourceLines(stdout, suite())
}

/** @param targets lines `CREATED_BY COMPONENT CODENAME REPO_URI` of apt-get indextargets */
export function sourceLines(targets: string, release: string): string[] {
  const lines = targets.split('\n').flatMap((line) => {
    const [by, component, codename, uri] = line.split(' ')
    const wanted = codename === release || codename === `${release}-security`
    return by === 'Packages' && component === 'main' && wanted ? [`deb ${uri} ${codename} main`] : []
  })
  return lines.some((line) => line.endsWith(` ${release} main`)) ? [...new Set(lines)] : []
}
