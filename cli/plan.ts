import { applyScript, diffState } from '../modules/apply.ts'
import { phases } from '../modules/module.ts'
import { tableNames } from '../modules/state.ts'
import { planLab, type PlannedHost } from '../overlay/plan.ts'
import { chosenHosts, labContext, labOptions } from './context.ts'
import { paint, print, printJson } from './output.ts'
import { UserError } from './user-error.ts'
import { defineVerb } from './verb.ts'

export const planVerb = defineVerb({
  usage: ['plan [HOST...] [--commands | --json]'],
  about: [
    'Tables from a key to one line, as the kernel tools print it. `show` tells what the hosts hold now; `preview` tells the difference.',
  ],
  options: {
    ...labOptions,
    commands: { value: true, what: 'The very script that builds it on a host that holds nothing yet' },
  },
  words: [0, Infinity],
  examples: [
    { line: 'npx overlab plan', what: 'all hosts' },
    { line: 'npx overlab plan node1 --stack udp', what: 'one host, by another backend' },
    { line: 'npx overlab plan node1 --commands', what: 'ip, bridge and iptables lines to read or to run' },
    { line: "npx overlab plan --json | jq '.node1.state.routes'", what: 'for programs' },
  ],
  run({ options, words }) {
    if (options.commands && options.json)
      throw new UserError('--commands and --json are two forms of one plan', 'give one of them')
    const context = labContext(options)
    const chosen = chosenHosts(context, words)
    const plan = planLab(context.inventory)
    const hosts = chosen.map(({ name }) => plan.hosts[name]!)
    if (options.json) printJson(Object.fromEntries(hosts.map((host) => [host.name, host])))
    else print(hosts.map(options.commands ? commandsOf : textOf).join('\n\n'))
  },
})

function textOf(host: PlannedHost): string {
  const title = `${host.name}  ${host.address}  subnet ${host.subnet}  MTU ${host.mtu}`
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
  const plan = { desired: host.state, prior: {}, facts: { nic: host.nic, iptables: host.iptables } }
  return `# ${host.name} (${host.address})\n${applyScript(diffState({}, host.state), plan, phases)}`.trimEnd()
}
