/** The text of --help: usage, what it does, options, examples; at most 100 columns wide. */
import { paint, pairs, wrap, width } from './output.ts'
import type { Verb } from './verb.ts'
import type { Entry } from './verbs.ts'
import { helpOption } from './words.ts'

const statuses = [
  ['0', 'all is as it should be'],
  ['1', 'something is not: a host is down, a packet is lost, the inventory is wrong'],
  ['2', 'the command line is wrong; nothing was done'],
] as const

export function overallHelp(verbs: Readonly<Record<string, Entry>>): string {
  return sections([
    ['', ["Container overlay labs (flannel's vxlan, host-gw, udp) that run without a daemon."]],
    ['Usage', indent(['npx overlab VERB [WORDS] [options]', 'npx overlab VERB --help'])],
    ['Verbs', pairs(Object.entries(verbs).map(([name, { summary }]) => [name, summary]))],
    [
      'Options',
      pairs([
        ['--help, -h', "This text; behind a verb, that verb's"],
        ['--version', "overlab's version"],
      ]),
    ],
    [
      'Examples',
      pairs([
        ['npx overlab up', 'build the lab of the selected stack'],
        ['npx overlab ping', 'prove that every pod reaches every pod'],
        ['npx overlab show routes', 'who put which route where'],
        ['npx overlab exec node1 -- ip -d link', 'look at a machine from inside'],
      ]),
    ],
    ['Exit status', pairs(statuses)],
  ])
}

export function verbHelp(summary: string, verb: Verb): string {
  const options = Object.entries({ ...verb.options, ...helpOption }).map(([name, { value, short, what }]) => [
    `--${name}${short ? `, -${short}` : ''}${value === true ? '' : ` ${value}`}`,
    what,
  ])
  return sections([
    ['', wrap(`${summary}.`, width(100))],
    ['Usage', indent(verb.usage.map((line) => `npx overlab ${line}`))],
    ...verb.about.map((paragraph) => ['', wrap(paragraph, width(100))] as const),
    ...(verb.choice ? [[verb.choice.title, pairs(Object.entries(verb.choice.entries))] as const] : []),
    ['Options', pairs(options as [string, string][])],
    ['Examples', pairs(verb.examples.map(({ line, what }) => [line, what]))],
    ['Exit status', verb.statuses ? indent(wrap(verb.statuses, width(100) - 2)) : pairs(statuses)],
  ])
}

function sections(parts: readonly (readonly [string, readonly string[]])[]): string {
  return parts
    .map(([title, lines]) => [...(title ? [paint('bold', title)] : []), ...lines].join('\n'))
    .join('\n\n')
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
