import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import type { Host } from '../inventory/inventory.ts'
import { hostVars, listInventory, type GroupView } from '../inventory/view.ts'
import { fromRepository } from '../tools/paths.ts'
import { chosenHosts, labContext, labOptions, notThere } from './context.ts'
import { print, printJson, table } from './output.ts'
import { UserError } from './user-error.ts'
import { defineVerb, type Given } from './verb.ts'

const parts = {
  list: 'Every host: groups, addresses, pods (ansible-inventory --list)',
  host: "One host's variables, every default filled in (ansible-inventory --host)",
  groups: 'The groups and their hosts as a tree (ansible-inventory --graph)',
  schema: 'The JSON Schema of an inventory file, for editors',
} as const

export const inventoryVerb = defineVerb({
  usage: ['inventory [list] [HOST...]', 'inventory host HOST', 'inventory groups', 'inventory schema'],
  about: [
    "With the stack's own changes (stacks/Pulumi.NAME.yaml) laid over the file. A wrong inventory is told with all its mistakes.",
  ],
  choice: { title: 'Parts', entries: parts },
  options: labOptions,
  words: [0, Infinity],
  examples: [
    { line: 'npx overlab inventory', what: 'every host' },
    { line: 'npx overlab inventory host node1', what: "one host's variables, as YAML" },
    { line: 'npx overlab inventory groups --stack udp', what: 'the groups of another stack' },
    { line: "npx overlab inventory --json | jq -r '.hosts[].address'", what: 'for programs' },
  ],
  run(given) {
    const [part = 'list', ...words] = given.words
    switch (part) {
      case 'list':
        return list(given, words)
      case 'host':
        if (words.length !== 1)
          throw new UserError('inventory host wants one host', 'overlab inventory host node1')
        return host(given, words[0]!)
      case 'groups':
        noWords(part, words)
        return groups(given)
      case 'schema':
        noWords(part, words)
        return void process.stdout.write(
          readFileSync(fromRepository('inventory', 'inventory.schema.json'), 'utf8'),
        )
      default:
        notThere('part of an inventory', part, Object.keys(parts))
    }
  },
})

type Of = Pick<Given<typeof labOptions>, 'options'>

function list({ options }: Of, words: readonly string[]): void {
  const context = labContext(options)
  const hosts = chosenHosts(context, words)
  if (options.json) return printJson({ ...context.inventory, hosts })
  print(
    table<Host>(
      [
        { title: 'HOST', value: ({ name }) => name },
        { title: 'GROUPS', wraps: true, value: ({ groups }) => groups.join(', ') || '-' },
        { title: 'MACHINE', value: ({ machine }) => machine },
        { title: 'ADDRESS', value: ({ address }) => address },
        { title: 'SUBNET', value: ({ subnet }) => subnet },
        {
          title: 'PODS',
          wraps: true,
          value: ({ pods }) => pods.map(({ name, address }) => `${name}=${address}`).join(' ') || '-',
        },
      ],
      hosts,
    ),
  )
}

function host({ options }: Of, word: string): void {
  const { inventory } = labContext(options)
  const vars =
    hostVars(inventory, word) ??
    notThere(
      'host',
      word,
      inventory.hosts.map(({ name }) => name),
    )
  if (options.json) printJson(vars)
  else process.stdout.write(stringify(vars, { aliasDuplicateObjects: false }))
}

function groups({ options }: Of): void {
  const tree = listInventory(labContext(options).inventory)
  if (options.json) printJson(tree)
  else print(branches(tree, '').join('\n'))
}

function branches({ name, children, hosts }: GroupView, indent: string): string[] {
  return [
    `${indent}@${name}:`,
    ...children.flatMap((child) => branches(child, `${indent}  `)),
    ...hosts.map((one) => `${indent}  ${one}`),
  ]
}

function noWords(part: string, [word]: readonly string[]): void {
  if (word !== undefined) throw new UserError(`${word} is a word too many`, `overlab inventory ${part}`)
}
