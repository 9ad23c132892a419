/**
 * tc filters: what takes the udp backend's packets out of their envelope on the NIC's ingress. The line names the
 * object's version and the datapath's settings, so that both are seen when they differ.
 *
 * Adding the hook itself (the qdisc clsact) to a NIC that is up, and taking it away, makes the kernel stop the NIC's
 * transmission for some milliseconds (dev_deactivate in qdisc_graft): at 100 pings a second one may be lost, once.
 * A hook that is there already is used and left, so a machine that has it from its boot loses none.
 *
 * The programs and maps are made here too, for the route (`encap bpf`) and the peers: see bpf/loader.ts.
 */
import { cidr, ifName, ip, type Cidr, type IfName, type Ip } from '../inventory/values.ts'
import { forgetOldLine, loadLines, unloadLine } from './bpf/loader.ts'
import { configUpdate, readConfig } from './bpf/maps.ts'
import { configPath, decapPath, mapNames } from './bpf/names.ts'
import { objectDigest } from './bpf/object.ts'
import { readEntries, textOf, type Entry, entryOf } from './json.ts'
import { diffTable, type Batch, type BatchLine, type Change, type Module, type Row } from './module.ts'
import { bpfFolder, filterPreference } from './owner.ts'
import { readWords, rowSchema, wholeNumber, type Grammar } from './words.ts'
import { z } from 'zod'

const program = 'overlab-udp.o:[tc]'

const grammar: Grammar = {
  bpf: z.enum([program], `is not ${program}, the only program that overlab has`),
  sha256: z.enum([objectDigest], `is not ${objectDigest}, the version that this overlab has`),
  port: wholeNumber(1, 65535),
  local: ip,
  subnet: cidr,
  pref: z.enum([String(filterPreference)], `is not ${filterPreference}, the preference of overlab's filters`),
}

/** Every NIC that can have a filter: name, `[filters]`; then the pins and the settings. Nothing where tc or bpftool is missing. */
const probe = [
  `for dev in $(tc qdisc show 2>/dev/null | sed -n 's/^qdisc \\(clsact\\|ingress\\) .* dev \\([^ ]*\\) .*/\\2/p')`,
  `do echo "filters $dev $(tc -j filter show dev "$dev" ingress pref ${filterPreference} 2>/dev/null | tr -d '\\n')"; done`,
  `for pin in ${bpfFolder}/overlab*; do if [ -e "$pin" ]; then echo "pin \${pin##*/}"; fi; done`,
  `if [ -e ${configPath} ]; then echo "config $(bpftool -j map dump pinned ${configPath} | tr -d '\\n')"; fi`,
].join('\n')

export function udpFilterRow(filter: { nic: IfName; port: number; local: Ip; subnet: Cidr }): Row {
  return { key: `${filter.nic} ingress`, line: lineOf(objectDigest, filter) }
}

export const filterModule: Module = {
  table: 'filters',
  noun: 'tc filter',
  row: rowSchema(({ key, line }, complain) => {
    const nic = key.endsWith(' ingress') ? key.slice(0, -' ingress'.length) : ''
    if (!ifName.safeParse(nic).success) complain('key', 'is not of the form "eth0 ingress"')
    const words = readWords(line, grammar, (message) => complain('line', message))
    for (const word of ['port', 'local', 'subnet'])
      if (!words.has(word)) complain('line', `"${word}" is missing`)
    return lineOf(objectDigest, {
      port: Number(words.get('port')),
      local: words.get('local') as Ip,
      subnet: words.get('subnet') as Cidr,
    })
  }),

  probe: () => probe,

  parse(output) {
    const found: (readonly [string, readonly Entry[]])[] = []
    const pins = new Set<string>()
    let config: ReturnType<typeof readConfig>
    for (const line of output.split('\n')) {
      const [kind, name = ''] = line.split(' ', 2)
      if (kind === 'filters')
        found.push([name, readEntries(line.slice(`filters ${name} `.length), 'tc -j filter show')])
      else if (kind === 'pin') pins.add(name)
      else if (kind === 'config') config = readConfig(line.slice('config '.length))
    }
    const table: Record<string, string> = {}
    for (const [nic, entries] of found) {
      const filters = entries.filter((entry) => entry['options'] !== undefined)
      const digests = filters.map((entry) => digestOf(entry))
      if (digests.length === 0) continue
      const [digest = ''] = digests
      const usable =
        digests.length === 1 &&
        [`overlab-udp-${digest}`, `overlab-udp-${digest}-decap`, ...mapNames].every((pin) => pins.has(pin))
      table[`${nic} ingress`] =
        usable && config
          ? lineOf(digest, config)
          : `bpf ${program} ${digests.map((found) => `sha256 ${found}`).join(' ')} unpinned pref ${filterPreference}`
    }
    return table
  },

  diff: (current, desired) => diffTable('filters', current, desired),

  render(changes, { desired }) {
    const prepare: BatchLine[] = []
    const sweep: BatchLine[] = []
    for (const change of changes) {
      const nic = change.key.split(' ')[0]!
      if (change.op === 'delete') sweep.push({ text: detachLine(nic), change })
      else {
        prepare.push(
          ...lines(change, [
            ...loadLines(),
            `echo '${updateOf(change.to)}' | bpftool batch file - >/dev/null`,
            // Replacing one of several would leave the others.
            ...(change.op === 'change' && change.from.split(' sha256 ').length > 2 ? [removal(nic)] : []),
            ...attachLines(nic),
          ]),
        )
        if (change.op === 'change') sweep.push({ text: forgetOldLine, change })
      }
    }
    const last = changes.find((change) => change.op === 'delete')
    if (last && Object.keys(desired).length === 0) sweep.push({ text: unloadLine, change: last })
    const batches: Batch[] = [
      { phase: 'prepare', command: 'sh -e', lines: prepare },
      { phase: 'sweep', command: 'sh -e', lines: sweep },
    ]
    return batches.filter((batch) => batch.lines.length > 0)
  },
}

function lineOf(digest: string, config: { port: number; local: Ip; subnet: Cidr }): string {
  return `bpf ${program} sha256 ${digest} port ${config.port} local ${config.local} subnet ${config.subnet} pref ${filterPreference}`
}

function updateOf(line: string): string {
  const words = readWords(line, grammar, () => {})
  return configUpdate({
    port: Number(words.get('port')),
    local: words.get('local') as Ip,
    subnet: words.get('subnet') as Cidr,
  })
}

/** The version, from the name of the pin that the filter was made from; another's program shows by its own name. */
function digestOf(filter: Entry): string {
  const name = textOf(entryOf(filter, 'options') ?? {}, 'bpf_name')
  return name.match(/^overlab-udp-([0-9a-f]{12})-decap:/)?.[1] ?? (name || 'unknown')
}

/** Says that the hook on this NIC is overlab's, so that it goes with the last filter. */
function markOf(nic: string): string {
  return `/run/overlab-clsact-${nic}`
}

function attachLines(nic: string): string[] {
  return [
    `tc qdisc show dev ${nic} | grep -Eq '^qdisc (clsact|ingress) ' || { tc qdisc add dev ${nic} clsact && : > ${markOf(nic)}; }`,
    // Handle 1 is replaced in one step: no packet meets a NIC without a filter.
    `tc filter replace dev ${nic} ingress protocol all pref ${filterPreference} handle 1 bpf direct-action pinned ${decapPath}`,
  ]
}

function removal(nic: string): string {
  return `tc filter del dev ${nic} ingress pref ${filterPreference}`
}

function detachLine(nic: string): string {
  const mark = markOf(nic)
  const unused = `[ -z "$(tc filter show dev ${nic} ingress)$(tc filter show dev ${nic} egress)" ]`
  // Someone may have put another hook in its place.
  const ours = `[ -e ${mark} ] && tc qdisc show dev ${nic} | grep -q '^qdisc clsact '`
  return `${removal(nic)}; if ${ours} && ${unused}; then tc qdisc del dev ${nic} clsact; fi; rm -f ${mark}`
}

function lines(change: Change, texts: readonly string[]): BatchLine[] {
  return texts.map((text) => ({ text, change }))
}
