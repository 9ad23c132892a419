/** One look at a host that exists: what it is, and what is there already. One script, which changes nothing of the host's. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { harmless } from '../../inventory/harmless.ts'
import { parseAnswer } from '../../inventory/json.ts'
import { quote } from '../../remote/quote.ts'
import { firewallLines, readFirewall, type Firewall } from '../firewall/firewall.ts'

/** The Debian package of each tool that an overlay needs. */
export const packageOf: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  iptables: 'iptables',
  'iptables-save': 'iptables',
  'iptables-restore': 'iptables',
  ping: 'iputils-ping',
  ethtool: 'ethtool',
  tc: 'iproute2',
  bpftool: 'bpftool',
}

/**
 * Prints `KEY VALUE` lines. Kernel features are really tried, in a network namespace that ends with the trial.
 * `$SSH_CONNECTION` says as which address the host sees this computer (or the jump host).
 */
export function factsScript({
  tools,
  kinds,
  fou,
  folder,
}: {
  /** Programs that the overlay needs, and kinds of links. */
  readonly tools: readonly string[]
  readonly kinds: readonly string[]
  /** A command that succeeds where the kernel has fou and ipip. */
  readonly fou: string
  /** Where overlab keeps what it must know of the host: `owner`, and `packages.log` of an installation that failed. */
  readonly folder: string
}): string {
  return `
say() { printf '%s %s\\n' "$1" "$2"; }
oneline() { tr -d '\\n'; }
say kernel "$(uname -sr)"
say uid "$(id -u)"
say clock "$(date +%s)"
say os "$(. /etc/os-release 2>/dev/null; echo "$ID $ID_LIKE")"
say from "\${SSH_CONNECTION%% *}"
say owner "$(cat ${folder}/owner 2>/dev/null)"
say free "$(df -Pk /run 2>/dev/null | awk 'NR == 2 { print $4 }')"
for tool in ${tools.map(quote).join(' ')}; do command -v "$tool" >/dev/null || { say missing "$tool"; lacks=1; }; done
[ -n "$lacks" ] || rm -f ${folder}/packages.log
[ -d /run/systemd/system ] && say systemd yes
for unit in systemd-networkd NetworkManager; do
  [ "$(systemctl is-active "$unit" 2>/dev/null)" = active ] && say active "$unit"
done
if command -v ip >/dev/null; then
  say links "$(ip -j -d addr show | oneline)"
  say routes "$(ip -4 -j route show table main | oneline)"
  say way "$(ip -4 -j route get "\${SSH_CONNECTION%% *}" 2>/dev/null | oneline)"
  if { ${fou}; }; then say fou yes; fi
  for kind in ${kinds.map(quote).join(' ')}; do
    case $kind in
      vxlan) set -- v0 type vxlan id 1 dstport 8472 ;;
      veth) set -- v0 type veth peer name v1 ;;
      *) set -- v0 type "$kind" ;;
    esac
    why=$(unshare --net ip link add "$@" 2>&1) || say lacks "$kind $(printf %s "$why" | tail -n 1)"
  done
fi
${firewallLines}
say end ok`
}

const link = z.object({
  ifname: z.string(),
  mtu: z.number(),
  ifalias: z.string().optional(),
  addr_info: z
    .array(
      z.object({
        family: z.string().optional(),
        local: z.string().optional(),
        prefixlen: z.number().optional(),
      }),
    )
    .default([]),
})
const route = z.object({
  dst: z.string(),
  dev: z.string().optional(),
  /** None where it is `unicast`; `unreachable`, `blackhole`. */
  type: z.string().optional(),
  gateway: z.string().optional(),
  protocol: z.union([z.string(), z.number()]).optional(),
  prefsrc: z.string().optional(),
})

export type Link = z.infer<typeof link>
export type Route = z.infer<typeof route>

export interface Facts {
  readonly kernel: string
  readonly uid: number
  /** Unix time, in seconds. */
  readonly clock: number
  readonly os: readonly string[]
  /** The address from which the host is reached, as it sees it. */
  readonly from: string
  /** Who put an overlay on it; empty where there is none. */
  readonly owner: string
  /** KiB that may be written to /run. */
  readonly free: number
  readonly missing: readonly string[]
  /** Kinds of links that the kernel does not have, with `ip`'s words. */
  readonly lacks: readonly string[]
  readonly active: readonly string[]
  /** systemd is its pid 1. */
  readonly hasSystemd: boolean
  readonly links: readonly Link[]
  readonly routes: readonly Route[]
  /** The way back to `from`. */
  readonly way: Route | undefined
  /** Its kernel has fou and ipip. */
  readonly hasFou: boolean
  readonly firewall: Firewall
}

/** @throws Error where the answer is not whole */
export function parseFacts(output: string): Facts {
  const lines = output.split('\n').map((line) => {
    const at = line.indexOf(' ')
    return { key: at < 0 ? line : line.slice(0, at), value: at < 0 ? '' : line.slice(at + 1) }
  })
  const rawAll = (key: string) => lines.filter((line) => line.key === key).map(({ value }) => value)
  const raw = (key: string) => rawAll(key)[0] ?? ''
  const all = (key: string) => rawAll(key).map((value) => harmless(value))
  const one = (key: string) => harmless(raw(key))
  if (one('end') !== 'ok') throw new Error('the host did not answer all questions')
  const json = <T>(schema: z.ZodType<T>, key: string): T =>
    parseAnswer(schema, raw(key) || '[]', `the host's question for its ${key}`)
  const number = (key: string): number => {
    if (/^\d+$/.test(one(key))) return Number(one(key))
    throw new Error(`the host answered the question for its ${key} with no number but: ${one(key)}`)
  }
  return {
    kernel: one('kernel'),
    uid: number('uid'),
    clock: number('clock'),
    os: one('os').split(' ').filter(Boolean),
    from: addressOf(one('from')),
    owner: one('owner'),
    free: one('free') === '' ? Infinity : number('free'),
    missing: all('missing'),
    lacks: all('lacks'),
    active: all('active'),
    hasSystemd: one('systemd') !== '',
    links: json(z.array(link), 'links'),
    routes: json(z.array(route), 'routes'),
    way: json(z.array(route), 'way')[0],
    hasFou: one('fou') !== '',
    firewall: readFirewall(rawAll),
  }
}

/** $SSH_CONNECTION is what sshd says; a start-up file of the user may say something else. */
function addressOf(from: string): string {
  if (from === '' || isIP(from) !== 0) return from
  throw new Error(`$SSH_CONNECTION on the host begins with no address but: ${from}`)
}
