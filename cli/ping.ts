import { InvalidArgumentError, type Command } from 'commander'
import { endpoints, measureReach } from '../experiments/reach.ts'
import { chosenHosts, labContext } from './context.ts'
import { addExamples } from './help.ts'
import { interrupt } from './interrupt.ts'
import { jsonOption, quietOption, stackOption, type LabOptions } from './lab-options.ts'
import { print, printJson } from './output.ts'
import { isWhole, report } from './ping-report.ts'
import { plannedLab } from './planned.ts'
import { progress } from './progress.ts'
import { runningLab } from './running.ts'

export function pingVerb(command: Command): void {
  command
    .description(
      'Real pings, sent on the hosts and in the pods: pod to pod, host to pod, pod to underlay address. Rows send, columns answer; the numbers are mean round-trip times in ms. `?` was not measured, with the reason below: it is no loss and no zero.\n\nWith hosts named, only among them and their pods.',
    )
    .argument('[HOST...]')
    .addOption(stackOption)
    .addOption(jsonOption)
    .addOption(quietOption)
    .option('-c, --count <N>', 'Echo requests a pair, 1 to 1000', countOf, 3)
    .action(ping)
  addExamples(command, [
    ['./overlab ping', 'every host and pod to every host and pod'],
    ['./overlab ping node1 node2 --count 20', 'among two hosts and their pods, 20 packets a pair'],
    ["./overlab ping --json | jq '.[] | select(.received < .sent)'", 'for programs'],
  ])
}

/**
 * Seconds between two pings where a machine is a VM. ping waits for its last answer twice the longest round trip so far, and
 * no less than this; an emulated CPU that starts eight pings at once answers some of them late.
 */
const vmInterval = 1

async function ping(
  words: readonly string[],
  { count, ...options }: LabOptions & { readonly count: number },
): Promise<void> {
  const context = labContext(options)
  const chosen = new Set<string>(chosenHosts(context, words).map(({ name }) => name))
  const all = endpoints(plannedLab(context.inventory)).filter(({ host }) => chosen.has(host))
  const signal = interrupt()
  const lab = await runningLab(context, signal)
  const show = progress('ping', options)
  try {
    const reaches = await measureReach(lab.session, all, {
      count,
      ...(context.inventory.hosts.some(({ machine }) => machine === 'qemu') && { interval: vmInterval }),
      signal,
      onProgress: (done, of) => show(`${done} of ${of} hosts`),
    })
    signal.throwIfAborted()
    show()
    if (options.json) printJson(reaches)
    else print(report(all, reaches))
    process.exitCode = reaches.every(isWhole) ? 0 : 1
  } finally {
    show()
    await lab.close()
  }
}

function countOf(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= 1000) return count
  throw new InvalidArgumentError('Give 1 to 1000.')
}
