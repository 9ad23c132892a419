/** What this machine's kernel and /run hold, as sorted lines: equal before and after, or something was left over. */
import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Counters and clocks: they change with nobody touching them. */
const volatile =
  /nf_conntrack_count|tcp_fastopen_key|\.(mtu_expires|gc_stale_time|base_reachable_time\w*|stable_secret) /

async function output(command: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await run(command, args, { maxBuffer: 64 << 20 }).catch(() => ({ stdout: '' }))
  return stdout.split('\n').filter(Boolean)
}

/** Every namespace that a process lives in; with one process fewer or more in it, it is still one. */
async function namespaces(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
  const all = await Promise.all(
    pids.flatMap((pid) =>
      ['net', 'mnt', 'pid', 'uts', 'ipc', 'cgroup'].map((kind) =>
        readlink(`/proc/${pid}/ns/${kind}`).catch(() => ''),
      ),
    ),
  )
  return [...new Set(all)].filter(Boolean)
}

/**
 * Links, addresses, routes, rules, namespaces, mounts, iptables rules, network settings, and the files under
 * /run/overlab. Other programs on the same machine show too: compare where nothing else works (see `sandbox.ts`).
 */
export async function fingerprint(): Promise<string[]> {
  const parts: Record<string, string[]> = {
    namespace: await namespaces(),
    mount: (await readFile('/proc/mounts', 'utf8')).split('\n'),
    link: (await output('ip', '-o', 'link')).map((line) => line.replace(/^\d+: /, '')),
    address: (await output('ip', '-o', 'address')).map((line) =>
      line.replace(/^\d+: /, '').replace(/\d+sec/g, ''),
    ),
    route: [
      ...(await output('ip', 'route', 'show', 'table', 'all')),
      ...(await output('ip', '-6', 'route', 'show', 'table', 'all')),
    ],
    rule: [...(await output('ip', 'rule')), ...(await output('ip', '-6', 'rule'))],
    netns: await output('ip', 'netns'),
    iptables: [...(await output('iptables-save')), ...(await output('iptables-legacy-save'))].filter(
      (line) => !line.startsWith('#'),
    ),
    nft: await output('nft', 'list', 'ruleset'),
    sysctl: (await output('sysctl', '-a', '-r', '^net\\.')).filter((line) => !volatile.test(line)),
    file: await output('find', '/run/overlab'),
    process: (await output('ps', '-eo', 'args')).filter(
      (line) => line.includes('/overlab/') || /machines\/[a-z]+\/[a-z-]+\.sh/.test(line),
    ),
  }
  return Object.entries(parts)
    .flatMap(([kind, lines]) => lines.filter(Boolean).map((line) => `${kind} ${line}`))
    .sort()
}

/** What two fingerprints do not share: `+ LINE` is new, `- LINE` is gone. */
export function difference(before: readonly string[], after: readonly string[]): string[] {
  const old = new Set(before)
  const now = new Set(after)
  return [
    ...before.filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ]
}
