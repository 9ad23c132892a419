import { Option, type Command } from 'commander'
import { applyScript, diffState } from '../modules/apply.ts'
import { withBootFiles } from '../modules/boot/restore.ts'
import { phases } from '../modules/module.ts'
import { tableNames } from '../modules/state.ts'
import { factsOf, pushedOf, type PlannedHost } from '../overlay/plan.ts'
import { chosenHosts, labContext } from './context.ts'
import { addExamples } from './help.ts'
import { jsonOption, quietOption, stackOption, type LabOptions } from './lab-options.ts'
import { paint, print, printJson } from './output.ts'
import { plannedLab } from './planned.ts'

export function planVerb(command: Command): void {
  command
    .description(
      'Tables from a key to one line, as the kernel tools print it. `show` tells what the hosts hold now; `preview` tells the difference.',
    )
    .argument('[HOST...]')
    .addOption(stackOption)
    .addOption(jsonOption)
    .addOption(quietOption)
    .addOption(
      new Option('--commands', 'The very script that builds it on a host that holds nothing yet').conflicts(
        'json',
      ),
    )
    .action(plan)
  addExamples(command, [
    ['./overlab plan', 'all hosts'],
    ['./overlab plan node1 --stack udp', 'one host, by another backend'],
    ['./overlab plan node1 --commands', 'ip, bridge and iptables lines to read or to run'],
    ["./overlab plan --json | jq '.node1.state.routes'", 'for programs'],
  ])
}

function plan(words: readonly string[], options: LabOptions & { readonly commands?: true }): void {
  const context = labContext(options)
  const chosen = chosenHosts(context, words)
  const planned = plannedLab(context.inventory)
  const hosts = chosen.map(({ name }) => planned.hosts[name]!)
  if (options.json) printJson(Object.fromEntries(hosts.map((host) => [host.name, host])))
  else print(hosts.map(options.commands ? commandsOf : textOf).join('\n\n'))
}

function textOf(host: PlannedHost): string {
  const { datapath } = host
  const by = datapath ? `  datapath ${datapath.datapath} (${datapath.why})` : ''
  const title = `${host.name}  ${host.address}  subnet ${host.subnet}  MTU ${host.mtu}${by}`
  const blocks = tableNames.flatMap((name) => {
    const rows = Object.entries(host.state[name] ?? {})
    if (rows.length === 0) return []
    const width = Math.max(...rows.map(([key]) => key.length))
    return [
      `  ${paint('cyan', name)}`,
      ...rows.map(([key, line]) => `    ${key.padEnd(width)}  ${line}`.trimEnd()),
    ]
  })
  return [paint('bold', title), ...blocks].join('\n')
}

function commandsOf(host: PlannedHost): string {
  const desired = pushedOf(host)
  const plan = withBootFiles({ desired, prior: {}, facts: factsOf(host) })
  const rest = host.control === 'flanneld' ? '\n# flanneld does the rest' : ''
  return `# ${host.name} (${host.address})\n${applyScript(diffState({}, desired), plan, phases).trimEnd()}${rest}`
}
