/**
 * What this kernel offers, found by really trying it in a throw-away network and mount namespace. The kernel loads
 * its modules by itself for that, as it would for a lab.
 */
import { release } from 'node:os'
import { objectLines } from '../modules/bpf/object.ts'
import { quote } from '../remote/quote.ts'
import { runAsRoot } from './rights.ts'

/** The shell line that uses the feature; it succeeds only where the feature works. Order: later ones use earlier links. */
const trials = {
  'network namespace': 'true',
  veth: 'ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up && ip address add 192.0.2.1/24 dev v0',
  bridge: 'ip link add br0 type bridge && ip link set br0 up',
  vxlan:
    'ip link add vx0 type vxlan id 1 dstport 8472 local 192.0.2.1 dev v0 nolearning && ip link set vx0 up',
  overlayfs:
    'mkdir $work/l $work/u $work/w $work/m && mount -t overlay -o lowerdir=$work/l,upperdir=$work/u,workdir=$work/w none $work/m',
  'iptables (nft)': natRule('iptables-nft'),
  'iptables (legacy)': natRule('iptables-legacy'),
  tun: 'ip tuntap add dev tun0 mode tun',
  'lwtunnel bpf':
    'loaded && ip route add 198.51.100.0/24 encap bpf headroom 28 xmit pinned "$pins/overlab_encap" dev v0',
  'tc filter bpf':
    'loaded && tc qdisc add dev v0 clsact && tc filter add dev v0 ingress prio 1 bpf direct-action pinned "$pins/overlab_decap"',
  fou: 'ip fou add port 5555 ipproto 4',
  ipip: 'ip link add ip0 type ipip local 192.0.2.1 remote 192.0.2.2',
  netem: 'tc qdisc add dev v1 root netem delay 1ms',
  wireguard: 'ip link add wg0 type wireguard',
} as const

export type Feature = keyof typeof trials
export const features = Object.keys(trials) as Feature[]

/** `unknown` = it could not be tried; `why` says what was missing for that. */
export interface Offer {
  readonly feature: Feature
  readonly offered: 'yes' | 'no' | 'unknown'
  /** The tool's own words where it did not work. */
  readonly why: string
}

/** The parts of a lab, and the features each cannot do without. A list within means: one of these. */
export const needs: Readonly<Record<string, readonly (Feature | readonly Feature[])[]>> = {
  'every lab': ['network namespace', 'veth', 'bridge', 'overlayfs', ['iptables (nft)', 'iptables (legacy)']],
  vxlan: ['vxlan'],
  'host-gw': [],
  'udp (bpf)': ['lwtunnel bpf', 'tc filter bpf'],
  'udp (fou)': ['fou', 'ipip'],
  'control: flanneld, udp': ['tun'],
  'delays and losses': ['netem'],
}

export interface Kernel {
  /** `6.1.0-18-amd64`. */
  readonly release: string
  readonly offers: readonly Offer[]
}

export function offered(kernel: Kernel, feature: Feature): boolean {
  return kernel.offers.some((offer) => offer.feature === feature && offer.offered === 'yes')
}

/** The features that something needs and this kernel is known not to offer (`unknown` does not count). */
export function lacking(kernel: Kernel, part: string): string[] {
  const no = (feature: Feature) =>
    kernel.offers.some((offer) => offer.feature === feature && offer.offered === 'no')
  return (needs[part] ?? []).flatMap((need) => {
    if (typeof need === 'string') return no(need) ? [need] : []
    return need.every(no) ? [need.join(' or ')] : []
  })
}

/** Tries everything; about half a second. Changes nothing that outlives the call. Needs root or sudo. */
export async function probeKernel(): Promise<Kernel> {
  const result = await runAsRoot('unshare', ['--net', '--mount', '--ipc', '--propagation', 'private', 'sh'], {
    input: script(),
    timeout: 60_000,
  })
  return {
    release: release(),
    offers: parseOffers(result.stdout, result.stderr.trim().split('\n').at(-1) ?? ''),
  }
}

/** Reads the script's lines `FEATURE<tab>yes|no|unknown<tab>WHY`. A feature without a line could not be tried. */
export function parseOffers(output: string, failure: string): Offer[] {
  const rows = new Map(output.split('\n').map((line) => [line.split('\t')[0], line.split('\t')]))
  return features.map((feature) => {
    const [, offered = '', why = ''] = rows.get(feature) ?? []
    if (offered === 'yes' || offered === 'no') return { feature, offered, why }
    return { feature, offered: 'unknown', why: why || failure || 'the trial did not run' }
  })
}

/** As flannel writes it: NAT with a comment, in a namespace of its own. */
function natRule(iptables: string): string {
  return `${iptables} -w 5 -t nat -A POSTROUTING -m comment --comment trial -j MASQUERADE --random-fully`
}

/** Which program of a trial's own must be there for the trial to tell anything. */
function program(feature: Feature): string {
  const trial = trials[feature]
  if (trial.startsWith('loaded')) return 'bpftool'
  return trial.split(' ')[0] ?? ''
}

function script(): string {
  const attempts = features.map((feature) => `try '${feature}' ${program(feature)} ${quote(trials[feature])}`)
  return `PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL=C
# Everything stays in memory and in this mount namespace. Pins' paths must not hold a dot: libbpf replaces it.
work=/mnt
mount -t tmpfs overlab-trial "$work" || exit 1
# bpftool mounts a bpffs of its own over the parent folder unless that is one.
pins=$work/bpf/trial
# The udp backend's own programs, so that the kernel's verifier is asked as well.
loaded() {
  [ -e "$pins/overlab_encap" ] && return
  mkdir "$work/bpf" && mount -t bpf none "$work/bpf" && echo ${objectLines.join('')} | base64 -d | gzip -d > "$work/udp.o" &&
    bpftool prog loadall "$work/udp.o" "$pins" pinmaps "$pins" >&2
}
try() {
  if ! command -v "$2" >/dev/null 2>&1; then printf '%s\\tunknown\\t%s is missing\\n' "$1" "$2"; return; fi
  if eval "$3" </dev/null >"$work/out" 2>"$work/err"; then printf '%s\\tyes\\t\\n' "$1"
  else printf '%s\\tno\\t%s\\n' "$1" "$(head -n 1 "$work/err" | tr '\\t' ' ')"; fi
}
${attempts.join('\n')}
`
}
