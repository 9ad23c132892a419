/** A trace: both ways, and what can be said of the whole. */
import { vethOf } from '../../modules/pod.ts'
import type { LabPlan } from '../../overlay/plan.ts'
import type { Observed, Sent } from './collect.ts'
import type { End } from './endpoint.ts'
import type { Fault, Step } from './step.ts'
import type { Sighting } from './view.ts'
import { walk } from './walk.ts'

export interface Trace {
  readonly from: End
  readonly to: End
  readonly backend: string
  readonly sent: Sent
  readonly steps: readonly Step[]
  readonly verdict: Verdict
}

export interface Verdict {
  readonly arrived: boolean
  /** One sentence each; the first is the answer. */
  readonly sentences: readonly string[]
}

/** Pure. What the hosts' kernels hold and what was captured, as steps and a verdict. */
export function traceOf(plan: LabPlan, observed: Observed, from: End, to: End): Trace {
  const there = walk(plan, observed, 'there', from, to, to.address)
  const isWhole = there.steps.every(({ fault }) => fault === undefined)
  // Of what is beyond the lab there is nothing to tell but what came back.
  const isBack =
    to.kind !== 'outside' ||
    Object.values(observed.views).some(({ sightings }) =>
      sightings.some(({ message }) => message === 'reply'),
    )
  const back = isWhole && isBack ? walk(plan, observed, 'back', to, from, there.source) : { steps: [] }
  const steps = [...there.steps, ...back.steps]
  return {
    from,
    to,
    backend: plan.lab.overlay.Backend.Type,
    sent: observed.sent,
    steps,
    verdict: verdictOf(observed, from, to, steps),
  }
}

function verdictOf(observed: Observed, from: End, to: End, steps: readonly Step[]): Verdict {
  const { answered, rtt, said } = observed.sent
  const faults = steps.flatMap(({ fault }) => (fault ? [fault] : []))
  const differs = steps.flatMap((step) =>
    step.differs === undefined ? [] : [`${step.actor}: ${step.topic}: ${step.differs}`],
  )
  if (answered) {
    return {
      arrived: true,
      sentences: [
        `${to.name} answered in ${rtt} ms; every packet went the way shown`,
        ...faults.map(({ text }) => `yet by the entries it could not: ${text}; were they changed just now?`),
        ...differs,
      ],
    }
  }
  const noAnswer = `no answer from ${to.name} (${to.address})${said ? `; ping says: ${said}` : ''}`
  const [issue, ...more] = issuesOf(steps)
  return {
    arrived: false,
    sentences: [
      issue?.text ??
        (to.kind === 'outside'
          ? 'the packet left the lab, and nothing came back'
          : 'every entry that the packet needs is there, yet nothing came back'),
      noAnswer,
      ...lastSeen(observed, from, to),
      ...more.map(({ text }) => text),
      ...others(observed, faults[0]),
    ],
  }
}

/** What is wrong, the likeliest cause first: what stands before a point where the packet was seen did not stop it. */
function issuesOf(steps: readonly Step[]): { readonly text: string }[] {
  const seen = steps.findLastIndex(
    ({ packet, topic, notCaptured }) => packet ?? (topic === 'arrival' && !notCaptured),
  )
  const issues = steps.flatMap(({ actor, topic, fault, differs }, at) => {
    if (fault) return [{ at, text: `${fault.text}; ${fault.remedy}` }]
    return differs === undefined ? [] : [{ at, text: `${actor}: ${topic}: ${differs}` }]
  })
  return [...issues.filter(({ at }) => at > seen), ...issues.filter(({ at }) => at <= seen)]
}

/** Where a capture saw the packet, or its answer, last. */
function lastSeen(observed: Observed, from: End, to: End): string[] {
  const order: (readonly [string | undefined, Sighting['message']])[] = [
    [from.host, 'request'],
    ...(to.host === from.host
      ? []
      : ([
          [to.host, 'request'],
          [to.host, 'reply'],
        ] as const)),
    [from.host, 'reply'],
  ]
  const seen = order.flatMap(([host, message]) => {
    const all = (host && observed.views[host]?.sightings) || []
    const one = all.filter(({ out, message: is }) => out !== undefined && is === message).at(-1)
    return one ? [{ host, ...one }] : []
  })
  const last = seen.at(-1)
  const errors = Object.entries(observed.views).flatMap(([host, { sightings }]) =>
    sightings
      .filter(({ message, out }) => message === 'error' && out !== undefined)
      .slice(0, 1)
      .map(({ link, layers }) => {
        const said = layers.findLast(({ protocol }) => protocol === 'icmp')?.fields
        const ip = layers.findLast(({ protocol }) => protocol === 'ipv4')?.fields
        return `${host} saw on ${link} an ICMP ${String(said?.['type'])} (code ${String(said?.['code'])}) from ${String(ip?.['source'])}`
      }),
  )
  const failed = Object.entries(observed.views).flatMap(([host, { notCaptured }]) =>
    notCaptured ? [`not captured on ${host}: ${notCaptured}`] : [],
  )
  if (!last)
    return [...(failed.length > 0 ? [] : ['no capture saw the packet on any link']), ...errors, ...failed]
  const what = last.message === 'request' ? 'the packet' : 'the answer'
  const silent =
    last.message === 'request' && last.out === true && to.kind === 'pod' && last.link === vethOf(to.name)
  return [
    `${what} was last seen on ${last.host}, ${last.out ? 'leaving by' : 'coming in by'} ${last.link}${silent ? `: ${to.name} was given it and did not answer` : ''}`,
    ...errors,
    ...failed,
  ]
}

/** What else of overlab's is not as planned on the hosts of the path; it may be why, and `up` mends it too. */
function others(observed: Observed, known?: Fault): string[] {
  return Object.entries(observed.views).flatMap(([host, { drift }]) =>
    drift
      .filter(
        ({ op, table, key }) =>
          op !== 'delete' && !(host === known?.host && table === known.table && key === known.key),
      )
      .slice(0, 5)
      .map(
        ({ op, table, key }) => `also ${op === 'add' ? 'missing' : 'changed'} on ${host}: ${table} ${key}`,
      ),
  )
}
