/** An answered question as a person reads it in a terminal. */
import type { Claim } from './claim.ts'
import type { Evidence, Run } from './evidence.ts'
import type { Explained } from './explain.ts'

/** How to draw what stands out. */
export interface Paint {
  readonly title: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly open: (text: string) => string
  readonly quiet: (text: string) => string
}

const asItIs = (text: string): string => text
export const plain: Paint = { title: asItIs, good: asItIs, bad: asItIs, open: asItIs, quiet: asItIs }

/** @param wrap breaks sentences into lines; commands and what they printed stay whole */
export function textOf(
  { number, question, answer, experiment, verdict, claims, evidence, asBefore }: Explained,
  wrap: (text: string, indent: number) => string[],
  paint: Paint = plain,
): string {
  const colour = { confirmed: paint.good, refuted: paint.bad, 'not measured': paint.open }[verdict]
  return [
    paint.title(`${number}. ${question}`),
    '',
    ...wrap(answer, 0),
    '',
    ...wrap(`Tried: ${experiment}`, 0),
    ...evidence.flatMap((one) => ['', ...piece(one, paint)]),
    '',
    `${paint.title('Verdict:')} ${colour(verdict)}${countOf(claims)}`,
    ...claims.flatMap((one) => claimLines(one, wrap, paint)),
    ...claimLines(asBefore, wrap, paint),
  ].join('\n')
}

/** `, 3 of 4 hold`: where not all do. */
export function countOf(claims: readonly Claim[]): string {
  const holding = claims.filter((one) => 'holds' in one && one.holds).length
  return holding === claims.length ? '' : `: ${holding} of ${claims.length} hold`
}

/** `yes`, `NO` or `?`, and why. */
export function judged(one: Claim): { readonly mark: 'yes' | 'NO' | '?'; readonly because: string } {
  if ('notMeasured' in one) return { mark: '?', because: `not measured: ${one.notMeasured}` }
  return { mark: one.holds ? 'yes' : 'NO', because: one.because }
}

/** `node1 $ ip route`; without a place it is the reader's own shell; what is said in words stands as it is. */
export function promptOf({ where, command }: Run): string {
  if (command.startsWith('#')) return command
  return `${where === undefined ? '' : `${where} `}$ ${command}`
}

function piece({ kind, title, lab, runs }: Evidence, paint: Paint): string[] {
  const head = `${kind === 'experiment' ? 'Experiment' : 'Evidence'} (${lab}): ${title}`
  return [
    paint.title(head),
    ...runs.flatMap((run) => [
      `  ${promptOf(run)}`,
      ...run.output.split('\n').flatMap((line) => (line === '' ? [] : [`    ${paint.quiet(line)}`])),
    ]),
  ]
}

function claimLines(one: Claim, wrap: (text: string, indent: number) => string[], paint: Paint): string[] {
  const { mark, because } = judged(one)
  const colour = { yes: paint.good, NO: paint.bad, '?': paint.open }[mark]
  return [
    ...wrap(one.claim, 6).map((line, at) =>
      at === 0 ? `  ${colour(mark.padEnd(3))} ${line}` : `      ${line}`,
    ),
    ...because.split('\n').flatMap((line) => wrap(line, 8).map((part) => `        ${paint.quiet(part)}`)),
  ]
}
