import { defineCommand } from 'citty'
import { applyScript, diffState } from '../modules/apply.ts'
import { phases } from '../modules/module.ts'
import { tableNames } from '../modules/state.ts'
import type { PlannedHost } from '../overlay/plan.ts'
import { chosenHosts, labArgs, labContext } from './context.ts'
import { paint, print, printJson } from './output.ts'

export const planCommand = defineCommand({
  meta: {
    name: 'plan',
    description:
      'What each host will hold, from the inventory alone: no host is asked. Examples: overlab plan node1; overlab plan --commands node1; overlab plan --json',
  },
  args: {
    ...labArgs,
    commands: { type: 'boolean', description: 'The very script that builds it on a host that holds nothing yet' },
  },
  run({ args }) {
    const context = labContext(args)
    const hosts = chosenHosts(context, args._)
    if (args.json) printJson(Object.fromEntries(hosts.map((host) => [host.name, host])))
    else print(hosts.map(args.commands ? commandsOf : textOf).join('\n\n'))
  },
})

function textOf(host: PlannedHost): string {
  const title = `${host.name}  ${host.address}  subnet ${host.subnet}  MTU ${host.mtu}`
  const blocks = tableNames.flatMap((name) => {
    const rows = Object.entries(host.state[name] ?? {})
    if (rows.length === 0) return []
    const width = Math.max(...rows.map(([key]) => key.length))
    return [`  ${paint('cyan', name)}`, ...rows.map(([key, line]) => `    ${key.padEnd(width)}  ${line}`.trimEnd())]
  })
  return [paint('bold', title), ...blocks].join('\n')
}

function commandsOf(host: PlannedHost): string {
  const plan = { desired: host.state, prior: {}, facts: { nic: host.nic, iptables: host.iptables } }
  return `# ${host.name} (${host.address})\n${applyScript(diffState({}, host.state), plan, phases)}`
}
