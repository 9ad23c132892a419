/** The system's packages (Debian, Ubuntu): which tools are missing, which packages bring them, their installation. */
import { findCommand, run } from './commands.ts'
import { runAsRoot } from './rights.ts'
import { SetupError, type Part, type Work } from './work.ts'

export interface Tool {
  readonly name: string
  readonly neededFor: string
  /** Packages that bring it, the best first; the first that the system's archives know is taken. */
  readonly packages: readonly (readonly string[])[]
  /** Only one backend needs it: no set-up fails for it where the archives lack it. */
  readonly optional?: boolean
}

const everyLab = 'every lab'
const bpf = 'the udp backend (loads its BPF programs)'

export const tools: readonly Tool[] = [
  { name: 'ip', neededFor: everyLab, packages: [['iproute2']] },
  { name: 'bridge', neededFor: everyLab, packages: [['iproute2']] },
  { name: 'tc', neededFor: everyLab, packages: [['iproute2']] },
  { name: 'iptables', neededFor: everyLab, packages: [['iptables']] },
  { name: 'sshd', neededFor: 'every lab (a machine runs its own)', packages: [['openssh-server']] },
  { name: 'ssh', neededFor: 'logging in to a machine by hand', packages: [['openssh-client']] },
  { name: 'ssh-keygen', neededFor: everyLab, packages: [['openssh-client']] },
  { name: 'ping', neededFor: 'overlab ping', packages: [['iputils-ping']] },
  { name: 'unshare', neededFor: everyLab, packages: [['util-linux']] },
  { name: 'ethtool', neededFor: 'checksum offload of links', packages: [['ethtool']] },
  { name: 'iperf3', neededFor: 'throughput measurements', packages: [['iperf3']] },
  { name: 'tcpdump', neededFor: 'tracing packets', packages: [['tcpdump']] },
  { name: 'conntrack', neededFor: 'tracing packets', packages: [['conntrack']] },
  // Debian and newer Ubuntus have a package of its own; older Ubuntus a wrapper that runs the kernel's own build of it.
  {
    name: 'bpftool',
    neededFor: bpf,
    packages: [['bpftool'], ['linux-tools-common', 'linux-tools-generic']],
    optional: true,
  },
]

export function isThere(tool: Tool, env: NodeJS.ProcessEnv = process.env): boolean {
  return findCommand(tool.name, env) !== undefined
}

/**
 * The packages that bring the missing tools.
 * @param known does an archive of the system have this package?
 * @returns packages to install, and the tools that no known package brings
 */
export function choosePackages(
  missing: readonly Tool[],
  known: (name: string) => boolean,
): { packages: string[]; unknown: Tool[] } {
  const packages = new Set<string>()
  const unknown: Tool[] = []
  for (const tool of missing) {
    const choice = tool.packages.find((names) => names.every(known))
    if (choice) choice.forEach((name) => packages.add(name))
    else unknown.push(tool)
  }
  return { packages: [...packages].sort(), unknown }
}

export const packagesPart: Part = { name: 'system packages', plan: () => planPackages() }

export async function planPackages(
  env: NodeJS.ProcessEnv = process.env,
  missing: readonly Tool[] = tools.filter((tool) => !isThere(tool, env)),
): Promise<Work | undefined> {
  if (missing.length === 0) return undefined
  const required = missing.filter((tool) => !tool.optional)
  if (findCommand('apt-get', env) === undefined) {
    if (required.length === 0) return undefined
    return {
      problems: [
        `missing tools: ${names(required)}; there is no apt-get here to install them: install them with this system's own package manager`,
      ],
      outside: [],
      tasks: [],
    }
  }
  const before = choosePackages(missing, await archive(missing))
  // Empty lists (a fresh container) know nothing: then the names are Debian's, until the lists are there.
  const listed = before.unknown.length === 0 || before.packages.length > 0
  const unknown = before.unknown.filter((tool) => !tool.optional)
  if (listed && before.packages.length === 0 && unknown.length === 0) return undefined
  const intended =
    before.unknown.length === 0 ? before.packages : choosePackages(missing, () => true).packages
  return {
    problems: [],
    outside: [
      `install system packages by apt-get: ${intended.join(' ')}`,
      ...(intended.includes('etcd-server')
        ? [
            "  (the system's own etcd service is not started by that, and is not enabled; a lab runs its own etcd)",
          ]
        : []),
      ...(intended.includes('openssh-server')
        ? [
            "  (the system's own SSH service is not started by that, and is not enabled; labs run their own sshd)",
          ]
        : []),
    ],
    tasks: [{ title: 'installing system packages', run: (say) => install(missing, say) }],
  }
}

function names(missing: readonly Tool[]): string {
  return missing.map((tool) => tool.name).join(', ')
}

/** Which of the tools' packages the system's archives can install. */
async function archive(missing: readonly Tool[]): Promise<(name: string) => boolean> {
  const all = [...new Set(missing.flatMap((tool) => tool.packages.flat()))]
  const { stdout } = await run('apt-cache', ['policy', ...all], { env: { ...process.env, LC_ALL: 'C' } })
  const known = installable(stdout)
  return (name) => known.has(name)
}

/** The packages with a candidate in `apt-cache policy`'s output (`Candidate: (none)` = a name without a package). */
export function installable(policy: string): Set<string> {
  const known = new Set<string>()
  let name = ''
  for (const line of policy.split('\n')) {
    if (/^\S.*:$/.test(line)) name = line.slice(0, -1)
    else if (/^\s+Candidate: (?!\(none\))/.test(line)) known.add(name)
  }
  return known
}

async function install(missing: readonly Tool[], say: (detail: string) => void): Promise<void> {
  let choice = choosePackages(missing, await archive(missing))
  let updated = false
  const update = async () => {
    say('apt-get update')
    await runAsRoot('apt-get', ['update', '-q'], { timeout: 300_000 })
    updated = true
    choice = choosePackages(missing, await archive(missing))
  }
  if (choice.unknown.length > 0) await update()
  const lost = choice.unknown.filter((tool) => !tool.optional)
  if (lost.length > 0) {
    throw new SetupError(
      `no package of this system's archives brings ${names(lost)}; check /etc/apt/sources.list.d, or install them by hand`,
    )
  }
  if (choice.packages.length === 0) return
  say(choice.packages.join(' '))
  let result = await runAsRoot('sh', ['-c', installScript, 'sh', ...choice.packages])
  if (result.code !== 0 && !updated) {
    // Lists that are too old name files that the mirror no longer has.
    await update()
    say(choice.packages.join(' '))
    result = await runAsRoot('sh', ['-c', installScript, 'sh', ...choice.packages])
  }
  if (result.code !== 0) {
    const tail = result.stderr.trim().split('\n').slice(-5).join('\n  ')
    throw new SetupError(
      `apt-get install ${choice.packages.join(' ')} failed:\n  ${tail}\n  run it by hand to see more, then run set-up again`,
    )
  }
}

/**
 * Installs "$@". Debian starts and enables a service that it installs: a lab needs the programs sshd and etcd only,
 * and a machine that had no such service must not have one afterwards. Where there was one, it is left as it is.
 */
export const installScript = `
set -e
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
guard=/usr/sbin/policy-rc.d
if [ -f "$guard" ] && grep -q 'overlab set-up' "$guard"; then rm -f "$guard"; fi
fresh=
[ -e /usr/sbin/sshd ] || fresh='ssh|ssh.*|sshd|sshd.*'
[ -e /usr/bin/etcd ] || fresh="\${fresh:+$fresh|}etcd|etcd.*"
if [ "$fresh" ] && [ ! -e "$guard" ]; then
  trap 'rm -f "$guard"' EXIT
  trap 'exit 143' HUP INT TERM
  printf '%s\\n' '#!/bin/sh' '# overlab set-up: these services are not started; removed when the installation ends.' \\
    "case \\"\\$1\\" in $fresh) exit 101 ;; esac" 'exit 0' > "$guard"
  chmod 755 "$guard"
fi
apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
if command -v systemctl >/dev/null; then
  case $fresh in *ssh*) if [ -e /usr/sbin/sshd ]; then systemctl disable ssh.service ssh.socket >/dev/null 2>&1 || true; fi ;; esac
  case $fresh in *etcd*) if [ -e /usr/bin/etcd ]; then systemctl disable etcd.service >/dev/null 2>&1 || true; fi ;; esac
fi
`
