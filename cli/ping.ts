import { endpoints, measureReach } from '../experiments/reach.ts'
import { planLab } from '../overlay/plan.ts'
import { chosenHosts, labContext, labOptions } from './context.ts'
import { interrupt } from './interrupt.ts'
import { print, printJson } from './output.ts'
import { isWhole, report } from './ping-report.ts'
import { progress } from './progress.ts'
import { runningLab } from './running.ts'
import { UserError } from './user-error.ts'
import { defineVerb } from './verb.ts'

export const pingVerb = defineVerb({
  usage: ['ping [HOST...]'],
  about: [
    'Real pings, sent on the hosts and in the pods: pod to pod, host to pod, pod to underlay address. Rows send, columns answer; the numbers are mean round-trip times in ms. `?` was not measured, with the reason below: it is no loss and no zero.',
    'With hosts named, only among them and their pods.',
  ],
  options: {
    ...labOptions,
    count: { value: 'N', what: 'Echo requests a pair, 1 to 1000; else 3', short: 'c' },
  },
  words: [0, Infinity],
  examples: [
    { line: 'npx overlab ping', what: 'every host and pod to every host and pod' },
    {
      line: 'npx overlab ping node1 node2 --count 20',
      what: 'among two hosts and their pods, 20 packets a pair',
    },
    { line: "npx overlab ping --json | jq '.[] | select(.received < .sent)'", what: 'for programs' },
  ],
  async run({ options, words }) {
    const count = countOf(options.count ?? '3')
    const context = labContext(options)
    const chosen = new Set<string>(chosenHosts(context, words).map(({ name }) => name))
    const all = endpoints(planLab(context.inventory)).filter(({ host }) => chosen.has(host))
    const signal = interrupt()
    const lab = await runningLab(context, signal)
    const show = progress('ping')
    try {
      const reaches = await measureReach(lab.session, all, {
        count,
        signal,
        onProgress: (done, of) => show(`${done} of ${of} hosts`),
      })
      signal.throwIfAborted()
      show()
      if (options.json) printJson(reaches)
      else print(report(all, reaches))
      return reaches.every(isWhole) ? 0 : 1
    } finally {
      show()
      await lab.close()
    }
  },
})

function countOf(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= 1000) return count
  throw new UserError(`--count ${text} is not a number of packets`, 'give 1 to 1000')
}
