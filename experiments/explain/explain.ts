/** Looks into one question, and sees to it that the running lab is afterwards as it was before. */
import { changedLines, dumpKernel } from '../kernel-dump.ts'
import { claim, verdictOf, type Claim, type Verdict } from './claim.ts'
import type { Evidence } from './evidence.ts'
import type { Labs } from './labs.ts'
import { measured, type Measured } from './measured.ts'
import { createNotes } from './notes.ts'
import type { Question } from './question.ts'
import { hostsOf, type Site } from './site.ts'

export interface Explained {
  readonly number: number
  readonly question: string
  readonly answer: string
  readonly experiment: string
  readonly verdict: Verdict
  readonly claims: readonly Claim[]
  readonly evidence: readonly Evidence[]
  /** What the claims were judged by. */
  readonly facts: unknown
  /** Whether the running lab's kernels hold what they held before. */
  readonly asBefore: Claim
}

/** @throws HostError where the lab could not be set right; what cannot be measured is a value */
export async function explain(
  { investigate, ...words }: Question,
  labs: Labs,
  onProgress?: (state: string) => void,
): Promise<Explained> {
  const { number, question, answer, experiment } = words
  const notes = createNotes(onProgress)
  const before = await dumps(labs.own)
  const found = await measured(() => investigate(labs, notes), labs.own.signal)
  const claims = 'claims' in found ? found.claims : [{ claim: answer, ...found }]
  return {
    number,
    question,
    answer,
    experiment,
    verdict: verdictOf(claims),
    claims,
    evidence: notes.evidence,
    facts: 'facts' in found ? found.facts : undefined,
    asBefore: compare(before, await dumps(labs.own)),
  }
}

interface Dumps {
  readonly lines: readonly string[]
  readonly hosts: number
}

function dumps(site: Site): Promise<Measured<Dumps>> {
  return measured(async () => {
    const hosts = hostsOf(site)
    const all = await Promise.all(
      hosts.map(async ({ name }) =>
        (await dumpKernel(await site.session(name), site.signal)).map((line) => `${name} ${line}`),
      ),
    )
    return { lines: all.flat(), hosts: hosts.length }
  }, site.signal)
}

function compare(before: Measured<Dumps>, after: Measured<Dumps>): Claim {
  const text = 'the running lab is as it was before'
  if ('notMeasured' in before) return { claim: text, ...before }
  return claim(text, after, ({ lines, hosts }) => {
    const changed = changedLines(before.lines, lines)
    return [
      changed.length === 0,
      changed.length === 0
        ? `${lines.length} entries on ${hosts} hosts: routes, neighbours, FDB, iptables, links, addresses, pods`
        : changed.join('\n'),
    ]
  })
}
