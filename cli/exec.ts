import { Writable } from 'node:stream'
import type { Command } from 'commander'
import { HostError } from '../remote/errors.ts'
import { quote } from '../remote/quote.ts'
import { stream } from '../remote/stream.ts'
import { labContext, notThere, type LabContext } from './context.ts'
import { addExamples } from './help.ts'
import { interrupt } from './interrupt.ts'
import { quietOption, stackOption, type LabOptions } from './lab-options.ts'
import { complain, printJson } from './output.ts'
import { runningLab } from './running.ts'
import { UserError } from './user-error.ts'
import { overlabCommand } from '../tools/command-line.ts'

/** As ssh does: a status that tells a lost host from a command that failed. */
const hostFailed = 255

export function execVerb(command: Command): void {
  command
    .description(
      "The arguments arrive as they are, with their spaces, quotes and $; for pipes and variables ask for a shell: -- sh -c '...'. Standard input, output and the exit status are the command's. Without a command: a shell.",
    )
    .usage('[options] HOST|POD [-- COMMAND [ARGUMENT...]]')
    .argument('<HOST|POD>')
    .argument('[COMMAND...]')
    .addOption(stackOption)
    .addOption(quietOption)
    .option('--json', 'Collects the outputs and the exit status as JSON; no standard input')
    .action(exec)
  addExamples(
    command,
    [
      ['./overlab exec node1 -- ip -d link', 'on a host'],
      ['./overlab exec node1-pod1 -- ping -c 3 10.244.2.2', 'in a pod'],
      ["./overlab exec node1 -- sh -c 'ip route | wc -l'", 'with a shell'],
      ['./overlab exec node2', 'a shell on node2'],
    ],
    `That of the command; ${hostFailed} where the host can not be reached; 2 where the command line is wrong.`,
  )
}

async function exec(where: string, command: readonly string[], options: LabOptions): Promise<void> {
  // Commander drops `--`, and takes a command without it too: there it would read the command's --json as overlab's.
  const end = process.argv.indexOf('--')
  const behind = end < 0 ? [] : process.argv.slice(end + 1)
  if (behind.length !== command.length) {
    // So that the command which is shown is right, the lab's names must be known.
    const names = namesOf(labContext({ ...options, quiet: true }))
    const other = command.findIndex((word) => !names.includes(word))
    const others = command.slice(
      0,
      Math.min(other < 0 ? command.length : other, command.length - behind.length),
    )
    if (others.length > 0) throw onlyOne([where, ...others], command.slice(others.length))
    throw new UserError(
      'the command stands behind --',
      overlabCommand(`exec ${where} -- ${command.map(quote).join(' ')}`),
    )
  }
  if (options.json && command.length === 0)
    throw new UserError(
      '--json collects the output of a command',
      overlabCommand(`exec ${where} --json -- COMMAND`),
    )
  const context = labContext(options)
  const { host, pod } = find(context, where, command)
  const wanted = command.length > 0 ? command : ['bash']
  const line = pod ? ['ip', 'netns', 'exec', pod, ...wanted] : wanted
  const signal = interrupt()
  const lab = await runningLab(context, signal)
  try {
    const session = await lab.session(host)
    if (!options.json)
      return void (process.exitCode = await stream(session, line, {
        stdin: process.stdin,
        stdout: process.stdout,
        stderr: process.stderr,
        pty: Boolean(process.stdin.isTTY && process.stdout.isTTY),
        signal,
      }))
    const [stdout, stderr] = [collector(mostCollected), collector(mostCollected)]
    const exitCode = await stream(session, line, { stdout: stdout.into, stderr: stderr.into, signal })
    printJson({
      host,
      ...(pod ? { pod } : {}),
      command: wanted,
      exitCode,
      stdout: stdout.text(),
      stderr: stderr.text(),
      ...(stdout.dropped() > 0 && { stdoutDropped: stdout.dropped() }),
      ...(stderr.dropped() > 0 && { stderrDropped: stderr.dropped() }),
    })
    if (stdout.dropped() + stderr.dropped() > 0)
      complain(
        `the command printed more than the ${mostCollected / 2 ** 20} MiB of a stream that --json keeps; without --json all of it passes`,
      )
    process.exitCode = exitCode
  } catch (error) {
    if (!(error instanceof HostError) || signal.aborted) throw error
    complain(error.message)
    process.exitCode = hostFailed
  } finally {
    await lab.close()
  }
}

function find(
  context: LabContext,
  where: string,
  command: readonly string[],
): { host: string; pod?: string } {
  const { hosts, groups } = context.inventory
  for (const { name, pods } of hosts) {
    if (name === where) return { host: name }
    if (pods.some((pod) => pod.name === where)) return { host: name, pod: where }
  }
  const names = namesOf(context)
  const parts = where.split(',').filter(Boolean)
  const several = parts.every((part) => names.includes(part))
    ? parts
    : Object.hasOwn(groups, where)
      ? groups[where]!
      : []
  if (several.length > 0) throw onlyOne(several, command)
  return notThere('host or pod', where, names)
}

function namesOf({ inventory: { hosts } }: LabContext): string[] {
  return hosts.flatMap(({ name, pods }) => [name, ...pods.map((pod) => pod.name)])
}

/** As `ansible GROUP -a COMMAND` or `pdsh` take them; here a shell's loop does. */
function onlyOne(places: readonly string[], command: readonly string[]): UserError {
  const words = command.length > 0 ? command.map(quote).join(' ') : 'COMMAND'
  return new UserError(
    'exec runs a command on one host or pod',
    `for several: for at in ${places.join(' ')}; do ${overlabCommand(`exec "$at" -- ${words}`)}; done`,
  )
}

/** Bytes of each output that --json keeps: what a program reads at once, and no command fills the memory with. */
const mostCollected = 16 * 2 ** 20

/** The first `most` bytes, and how many came after. They are decoded once, at the end: a character may come in two pieces. */
export function collector(most: number): { into: Writable; text: () => string; dropped: () => number } {
  const chunks: Buffer[] = []
  let size = 0
  const into = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const room = Math.max(0, most - size)
      if (room > 0) chunks.push(chunk.subarray(0, room))
      size += chunk.length
      done()
    },
  })
  return { into, text: () => Buffer.concat(chunks).toString(), dropped: () => Math.max(0, size - most) }
}
