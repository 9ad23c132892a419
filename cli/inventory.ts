import { defineCommand } from 'citty'
import type { Host } from '../inventory/inventory.ts'
import { hostVars, listInventory, type GroupView } from '../inventory/view.ts'
import { stringify } from 'yaml'
import { labArgs, labContext, notThere } from './context.ts'
import { print, printJson, table } from './output.ts'

const list = defineCommand({
  meta: { name: 'list', description: 'Every host: groups, addresses, pods (as ansible-inventory --list)' },
  args: labArgs,
  run({ args }) {
    const { inventory } = labContext(args)
    if (args.json) return printJson(inventory)
    print(
      table<Host>(
        [
          { title: 'HOST', value: ({ name }) => name },
          { title: 'GROUPS', value: ({ groups }) => groups.join(',') },
          { title: 'MACHINE', value: ({ machine }) => machine },
          { title: 'ADDRESS', value: ({ address }) => address },
          { title: 'SUBNET', value: ({ subnet }) => subnet },
          { title: 'PODS', value: ({ pods }) => pods.map(({ name, address }) => `${name}=${address}`).join(' ') },
        ],
        inventory.hosts,
      ),
    )
  },
})

const host = defineCommand({
  meta: { name: 'host', description: "One host's variables, every default filled in (as ansible-inventory --host)" },
  args: { ...labArgs, host: { type: 'positional', description: 'The host', required: true } },
  run({ args }) {
    const { inventory } = labContext(args)
    const vars = hostVars(inventory, args.host) ?? notThere('host', args.host, inventory.hosts.map(({ name }) => name))
    if (args.json) printJson(vars)
    else process.stdout.write(stringify(vars, { aliasDuplicateObjects: false }))
  },
})

const groups = defineCommand({
  meta: { name: 'groups', description: 'The groups and their hosts as a tree (as ansible-inventory --graph)' },
  args: labArgs,
  run({ args }) {
    const tree = listInventory(labContext(args).inventory)
    if (args.json) printJson(tree)
    else print(branches(tree, '').join('\n'))
  },
})

function branches({ name, children, hosts }: GroupView, indent: string): string[] {
  return [
    `${indent}@${name}:`,
    ...children.flatMap((child) => branches(child, `${indent}  `)),
    ...hosts.map((one) => `${indent}  ${one}`),
  ]
}

export const inventoryCommand = defineCommand({
  meta: {
    name: 'inventory',
    description: "The selected stack's inventory as overlab understands it. Examples: overlab inventory list; overlab inventory host node1 --json",
  },
  subCommands: { list, host, groups },
  default: 'list',
})
