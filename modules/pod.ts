/**
 * Pods: a network namespace, and a veth pair from its `eth0` to the host's bridge. The host's end carries the alias
 * `overlab pod NAME`, and by that the namespace is known as overlab's: the pair is made first, so that an
 * interrupted run never leaves a namespace that nobody can attribute.
 *
 * Processes run in pods. A pod is therefore never made anew to change it: MTU, MAC, address, bridge and route are
 * set in place, and a veth that someone deleted is put back into the same namespace.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import {
  ifName,
  ip,
  mac,
  name,
  type Cidr,
  type IfName,
  type Ip,
  type Mac,
  type Name,
} from '../inventory/values.ts'
import { readEntries, textOf, type Entry, entriesOf, entryOf, textsOf } from './json.ts'
import { diffTable, type Batch, type BatchLine, type Module, type Row } from './module.ts'
import { alias } from './owner.ts'
import { readWords, rowSchema, wholeNumber, type Grammar, type Words } from './words.ts'

export const podAlias = `${alias} pod`

/** The host's end of a pod's pair. Names of pods are longer than those of links; 32 bits keep thousands of pods apart. */
export function vethOf(pod: string): IfName {
  return `veth${digest(pod)}` as IfName
}

/** Of all those names, in the words of network managers. */
export const vethPattern = 'veth????????'

/** The pod's end, for the moment before it is in the pod. */
function looseEndOf(pod: string): string {
  return `pod${digest(pod)}`
}

function digest(pod: string): string {
  return createHash('sha256').update(pod).digest('hex').slice(0, 8)
}

const addressWithLength = z.string().refine((text) => {
  const [address = '', length = ''] = text.split('/')
  return ip.safeParse(address).success && /^([1-9]|[12][0-9]|3[0-2])$/.test(length)
}, 'is not an address with its length such as 10.244.53.2/24')

const grammar: Grammar = { via: ip, dev: ifName, mtu: wholeNumber(68, 65535), address: mac }

export function podRow(pod: {
  name: Name
  address: Ip
  subnet: Cidr
  gateway: Ip
  bridge: IfName
  mtu: number
  mac: Mac
}): Row {
  const length = pod.subnet.split('/')[1]!
  return {
    key: pod.name,
    line: `${pod.address}/${length} via ${pod.gateway} dev ${pod.bridge} mtu ${pod.mtu} address ${pod.mac}`,
  }
}

// What a pod that is not whole is called; what must be made again follows from the words.
const noNamespace = 'no namespace'
/** The name is there, the namespace is not: `ip netns add` was cut between the two. */
const brokenNamespace = 'broken namespace'
const noLink = 'no link'
/** The host's end is there, and the pod has no eth0. */
const looseLink = 'loose link'
const foreign = 'a namespace of someone else'
/** Where a line has the bridge's name. */
export const onNoBridge = 'nothing'

export const podModule: Module = {
  table: 'pods',
  noun: 'pod',
  row: rowSchema(({ key, line }, complain) => {
    if (!name.safeParse(key).success)
      complain('key', 'is not a pod name: lower-case letters, digits and inner dashes')
    const [address = '', ...rest] = line.split(' ').filter((word) => word !== '')
    const checked = addressWithLength.safeParse(address)
    if (!checked.success) complain('line', checked.error.issues[0]!.message)
    const words = readWords(rest.join(' '), grammar, (message) => complain('line', message))
    for (const word of Object.keys(grammar)) if (!words.has(word)) complain('line', `"${word}" is missing`)
    return [address, ...Object.keys(grammar).map((word) => `${word} ${words.get(word)}`)].join(' ')
  }),

  /** One process for the host's links, and one a pod: its addresses and routes. */
  probe({ desired, prior }) {
    const known = Object.keys({ ...prior, ...desired }).filter((pod) => name.safeParse(pod).success)
    return [
      `echo "host $(ip -j -d link show type veth | tr -d '\\n')"`,
      `for pod in $({ printf '%s\\n' ${known.join(' ')}; ip -o link show type veth | sed -n 's/.*alias ${podAlias} \\([a-z0-9-]*\\).*/\\1/p'; } | sort -u)`,
      `do if [ -e "/run/netns/$pod" ]`,
      `then echo "pod $pod"; printf 'addr\\nroute\\n' | ip -d -j -n "$pod" -batch - 2>/dev/null || :; fi; done`,
    ].join('\n')
  },

  parse(output, { desired, prior }) {
    const { veths, pods } = read(output)
    const table: Record<string, string> = {}
    const aliased = [...veths.values()].flatMap((veth) => {
      const owner = textOf(veth, 'ifalias')
      return owner.startsWith(`${podAlias} `) ? [owner.slice(podAlias.length + 1)] : []
    })
    for (const pod of new Set([...Object.keys(desired), ...Object.keys(prior), ...aliased])) {
      const veth = veths.get(vethOf(pod))
      const inside = pods.get(pod)
      const own = textOf(veth ?? {}, 'ifalias') === `${podAlias} ${pod}`
      if (!inside) {
        if (veth) table[pod] = `${noNamespace}, ${looseLink}`
      } else if (!veth && !(pod in prior)) {
        // Not known to be ours. It is in the way of a pod that shall be; otherwise it is none of our business.
        if (pod in desired) table[pod] = foreign
      } else if (inside.length < 2) table[pod] = `${brokenNamespace}, ${veth ? looseLink : noLink}`
      else if (!veth) table[pod] = noLink
      else table[pod] = lineOf(veth, own, inside[0]!, inside[1]!)
    }
    return table
  },

  diff: (current, desired) => diffTable('pods', current, desired),

  render(changes) {
    const check: BatchLine[] = []
    const host: BatchLine[] = []
    const inside: BatchLine[] = []
    const flush: BatchLine[] = []
    const sweep: BatchLine[] = []
    for (const change of changes) {
      const pod = change.key
      if (change.op === 'delete') {
        sweep.push({ text: deletionOf(pod), change })
        continue
      }
      if (change.op === 'change' && change.from === foreign) {
        check.push({ text: refusalOf(pod), change })
        continue
      }
      const steps = stepsOf(pod, change.op === 'add' ? noNamespace : change.from, change.to)
      if (steps.host.length > 0) host.push(...steps.host.map((text) => ({ text, change })))
      if (steps.inside.length > 0)
        inside.push({
          text: `printf '%s\\n' ${steps.inside.map((text) => `'${text}'`).join(' ')} | ip -n ${pod} -batch -`,
          change,
        })
      if (steps.flush) flush.push({ text: `ip -n ${pod} route flush cache`, change })
    }
    // A path's MTU is remembered for ten minutes by whoever learned it, and the way has just changed.
    if (flush.length > 0) flush.push({ text: 'ip route flush cache' })
    const batches: Batch[] = [
      { phase: 'prepare', command: 'sh -e', lines: check },
      { phase: 'prepare', command: 'ip -batch -', lines: host },
      { phase: 'prepare', command: 'sh -e', lines: inside },
      { phase: 'sweep', command: 'sh -e', lines: [...flush, ...sweep] },
    ]
    return batches.filter(({ lines }) => lines.length > 0)
  },
}

interface Steps {
  /** Lines of `ip -batch` on the host, then in the pod. */
  readonly host: string[]
  readonly inside: string[]
  readonly flush: boolean
}

/** What leads from one line to another; nothing that is right already is touched. */
function stepsOf(pod: string, from: string, to: string): Steps {
  const veth = vethOf(pod)
  const wanted = wordsOf(to)
  const address = to.split(' ')[0]!
  const is = wordsOf(from)
  const named = `link set dev ${veth} alias "${podAlias} ${pod}"`
  const host: string[] = []
  const inside: string[] = []

  const says = (words: string): boolean => from.split(', ').includes(words)
  if ([noNamespace, brokenNamespace, noLink, looseLink].some(says)) {
    if (says(looseLink)) host.push(`link delete dev ${veth}`)
    if (says(brokenNamespace)) host.push(`netns delete ${pod}`)
    host.push(
      `link add name ${veth} mtu ${wanted.get('mtu')} type veth peer name ${looseEndOf(pod)} mtu ${wanted.get('mtu')} address ${wanted.get('address')}`,
      named,
    )
    if (says(noNamespace) || says(brokenNamespace)) host.push(`netns add ${pod}`)
    host.push(
      `link set dev ${looseEndOf(pod)} netns ${pod} name eth0`,
      `link set dev ${veth} master ${wanted.get('dev')} up`,
    )
    inside.push('link set dev lo up', 'link set dev eth0 up', `addr replace ${address} dev eth0`)
    inside.push(`route replace default via ${wanted.get('via')} dev eth0`)
    return { host, inside, flush: false }
  }

  const differs = (word: string): boolean => is.get(word) !== wanted.get(word)
  const has = (flag: string): boolean => from.split(' ').includes(flag)
  if (has('unowned')) host.push(named)
  if (differs('mtu') || is.has('host-mtu')) host.push(`link set dev ${veth} mtu ${wanted.get('mtu')}`)
  // On the way back to a state without a bridge (undo.ts) it is on none again.
  if (differs('dev'))
    host.push(
      `link set dev ${veth} ${wanted.get('dev') === onNoBridge ? 'nomaster' : `master ${wanted.get('dev')}`}`,
    )
  if (has('host-down')) host.push(`link set dev ${veth} up`)
  if (has('hairpin')) host.push(`link set dev ${veth} type bridge_slave hairpin off`)
  if (has('lo-down')) inside.push('link set dev lo up')
  if (differs('mtu')) inside.push(`link set dev eth0 mtu ${wanted.get('mtu')}`)
  if (differs('address')) {
    inside.push(`link set dev eth0 address ${wanted.get('address')}`)
    // The host would send to the old MAC until it asks again.
    host.push(`neigh flush to ${address.split('/')[0]} dev ${wanted.get('dev')}`)
  }
  if (has('down')) inside.push('link set dev eth0 up')
  const addresses = from
    .split(' ')[0]!
    .split(',')
    .filter((other) => other.includes('/'))
  const gone = addresses.filter((other) => other !== address)
  // The first address of a prefix takes the others along when it goes: so each is there before it goes, and the
  // wanted one is set after.
  gone.forEach((other, index) => {
    if (index > 0) inside.push(`addr replace ${other} dev eth0`)
    inside.push(`addr del ${other} dev eth0`)
  })
  // `route replace` takes the place of one default route; those of another metric would stay.
  if (is.get('via')?.includes(',')) inside.push('route flush exact default')
  if (gone.length > 0 || addresses.length === 0) inside.push(`addr replace ${address} dev eth0`)
  if (gone.length > 0 || addresses.length === 0 || differs('via') || has('down'))
    inside.push(`route replace default via ${wanted.get('via')} dev eth0`)
  return { host, inside, flush: differs('mtu') }
}

function wordsOf(line: string): Words {
  const tokens = line.split(' ').slice(1)
  const words = new Map<string, string>()
  for (let at = 0; at < tokens.length; at++) {
    if (tokens[at]! in grammar || tokens[at] === 'host-mtu') words.set(tokens[at]!, tokens[++at] ?? '')
  }
  return words
}

function refusalOf(pod: string): string {
  return `echo 'there is a network namespace ${pod} that overlab did not make; rename the pod in the inventory, or delete it: ip netns del ${pod}' >&2; exit 1`
}

/** The kernel removes the pair with the namespace, only later; so both are named. */
function deletionOf(pod: string): string {
  return `if [ -e /run/netns/${pod} ]; then ip netns delete ${pod}; fi; ip link delete dev ${vethOf(pod)} 2>/dev/null || :`
}

/** The pod as a line; what overlab would not have made is said in words of its own. */
function lineOf(veth: Entry, own: boolean, addresses: readonly Entry[], routes: readonly Entry[]): string {
  const eth0 = addresses.find((entry) => entry['ifname'] === 'eth0')
  if (!eth0 || textOf(entryOf(eth0, 'linkinfo') ?? {}, 'info_kind') !== 'veth') return looseLink
  const found = entriesOf(eth0, 'addr_info')
    .filter((entry) => entry['family'] === 'inet')
    .map((entry) => `${textOf(entry, 'local')}/${textOf(entry, 'prefixlen')}`)
  const defaults = routes
    .filter((entry) => entry['dst'] === 'default')
    .map((entry) => textOf(entry, 'gateway'))
  const words = [
    found.join(',') || 'no-address',
    `via ${defaults.join(',') || 'nothing'}`,
    `dev ${textOf(veth, 'master') || onNoBridge}`,
    `mtu ${textOf(eth0, 'mtu')}`,
    `address ${textOf(eth0, 'address')}`,
  ]
  const slave = entryOf(entryOf(veth, 'linkinfo') ?? {}, 'info_slave_data')
  if (!own) words.push('unowned')
  if (textOf(veth, 'mtu') !== textOf(eth0, 'mtu')) words.push(`host-mtu ${textOf(veth, 'mtu')}`)
  if (!isUp(veth)) words.push('host-down')
  if (slave?.['hairpin'] === true) words.push('hairpin')
  if (!isUp(eth0)) words.push('down')
  const lo = addresses.find((entry) => entry['ifname'] === 'lo')
  if (lo && !isUp(lo)) words.push('lo-down')
  return words.join(' ')
}

function isUp(link: Entry): boolean {
  return textsOf(link, 'flags').includes('UP')
}

/** Host ends by name, and what each namespace said: addresses, routes. Nothing for one that could not be entered. */
function read(output: string): { veths: Map<string, Entry>; pods: Map<string, Entry[][]> } {
  const veths = new Map<string, Entry>()
  const pods = new Map<string, Entry[][]>()
  let said: Entry[][] = []
  for (const line of output.split('\n')) {
    if (line.startsWith('host ')) {
      for (const entry of readEntries(line.slice('host '.length), 'ip -j -d link'))
        veths.set(textOf(entry, 'ifname'), entry)
    } else if (line.startsWith('pod ')) pods.set(line.slice('pod '.length), (said = []))
    else if (line.trim() !== '') said.push(readEntries(line, 'ip -j addr'))
  }
  return { veths, pods }
}
