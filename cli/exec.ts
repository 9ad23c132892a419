import { defineCommand } from 'citty'
import { createPool } from '../remote/pool.ts'
import { stream } from '../remote/stream.ts'
import { labArgs, labContext, labTargets, notThere } from './context.ts'
import { UserError } from './user-error.ts'

export const execCommand = defineCommand({
  meta: {
    name: 'exec',
    description:
      'Runs a command on a host or in a pod, over SSH; its exit status is passed on. Examples: overlab exec node1 -- ip route; overlab exec node1-pod1 -- ping -c 3 10.244.2.2; overlab exec node2 (a shell)',
  },
  args: {
    stack: labArgs.stack,
    where: { type: 'positional', description: 'A host or a pod', required: true, valueHint: 'HOST|POD' },
  },
  async run({ args, rawArgs }) {
    const context = labContext(args)
    const hosts = context.inventory.hosts
    const pod = hosts.flatMap((host) => host.pods).find(({ name }) => name === args.where)
    const host = hosts.find(({ name, pods }) => name === args.where || pods.some((one) => one.name === args.where))
    if (!host)
      notThere('host or pod', args.where, hosts.flatMap(({ name, pods }) => [name, ...pods.map((one) => one.name)]))
    const split = rawArgs.indexOf('--')
    const words = split < 0 ? [] : rawArgs.slice(split + 1)
    if (split < 0 && args._.length > 1)
      throw new UserError(`the command must stand behind --`, `overlab exec ${args.where} -- ${args._.slice(1).join(' ')}`)
    const command = words.length > 0 ? words : ['bash']

    const pool = createPool()
    try {
      const session = await pool.session((await labTargets(context))[host.name]!)
      process.exitCode = await stream(session, pod ? ['ip', 'netns', 'exec', pod.name, ...command] : command, {
        stdin: process.stdin,
        stdout: process.stdout,
        stderr: process.stderr,
        pty: Boolean(process.stdin.isTTY && process.stdout.isTTY),
      })
    } finally {
      await pool.close()
    }
  },
})
