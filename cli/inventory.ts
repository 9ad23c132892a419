import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { Host } from '../inventory/inventory.ts'
import { hostVars, listInventory, type GroupView } from '../inventory/view.ts'
import { fromRepository } from '../tools/paths.ts'
import { chosenHosts, labContext, notThere } from './context.ts'
import { addExamples } from './help.ts'
import { jsonOption, quietOption, stackOption, type LabOptions } from './lab-options.ts'
import { print, printJson, table } from './output.ts'

export function inventoryVerb(command: Command): void {
  command
    .description(
      "With the stack's own changes (stacks/Pulumi.NAME.yaml) laid over the file. A wrong inventory is told with all its mistakes.",
    )
    .usage('[options] [PART]')
    .addOption(stackOption)
    .addOption(jsonOption)
    .addOption(quietOption)
    // The options may stand behind the part as well.
    .enablePositionalOptions(false)
    .helpCommand(false)
    .commandsGroup('Parts:')
  command
    .command('list', { isDefault: true })
    .summary('Every host: groups, addresses, pods (ansible-inventory --list)')
    .argument('[HOST...]')
    .action(list)
  command
    .command('host')
    .summary("One host's variables, every default filled in (ansible-inventory --host)")
    .argument('<HOST>')
    .action(host)
  command
    .command('groups')
    .summary('The groups and their hosts as a tree (ansible-inventory --graph)')
    .action(groups)
  command.command('schema').summary('The JSON Schema of an inventory file, for editors').action(schema)
  addExamples(command, [
    ['./overlab inventory', 'every host'],
    ['./overlab inventory host node1', "one host's variables, as YAML"],
    ['./overlab inventory groups --stack udp', 'the groups of another stack'],
    ["./overlab inventory --json | jq -r '.hosts[].address'", 'for programs'],
  ])
}

function list(words: readonly string[], _: object, command: Command): void {
  const options = command.optsWithGlobals<LabOptions>()
  const context = labContext(options)
  const parts = command.parent!.commands.map((part) => part.name())
  const hosts = chosenHosts(context, words, parts)
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

function host(word: string, _: object, command: Command): void {
  const options = command.optsWithGlobals<LabOptions>()
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

function groups(_: object, command: Command): void {
  const options = command.optsWithGlobals<LabOptions>()
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

function schema(): void {
  process.stdout.write(readFileSync(fromRepository('inventory', 'inventory.schema.json'), 'utf8'))
}
