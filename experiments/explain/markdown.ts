/** Answered questions as a page of documentation. */
import type { Provenance } from '../results/provenance.ts'
import type { Claim } from './claim.ts'
import type { Evidence } from './evidence.ts'
import type { Explained } from './explain.ts'
import { glossary, inShort } from './front.ts'
import { countOf, judged, promptOf } from './text.ts'

export interface Run {
  readonly provenance: Provenance
  /** What the running lab was: `vxlan`. */
  readonly lab: string
  readonly explained: readonly Explained[]
}

export function markdownOf({ provenance, lab, explained }: Run): string {
  const { startedAt, command, kernel, machines, versions } = provenance
  const words = ['./overlab', ...command].join(' ')
  const tools = ['overlab', 'iproute2', 'flanneld', 'etcd']
    .flatMap((tool) => (versions[tool] === undefined ? [] : [`${tool} ${versions[tool]}`]))
    .join(', ')
  return [
    '# Questions, answered by a running lab',
    `This page was written by \`${words}\` on ${startedAt.slice(0, 10)}: every command was run, every output is what it printed then, and every verdict is computed from that. The lab was \`${lab}\`, of ${machines.hosts} machines with ${machines.pods} pods (\`vxlan\` is filled by overlab, \`vxlan-flanneld\` by flanneld); what it has not (flanneld, another backend) was tried in labs made for it and taken away again. Linux ${kernel}; ${tools}.`,
    'Ask your own lab: `./overlab explain 1`. Where it behaves otherwise, the verdict says so.',
    'Before a `$` stands where a command ran, on a machine or in a pod: `node1 $ ip route` is `./overlab exec node1 -- ip route`. `...` stands for lines that were left out.',
    '## In short',
    explained.map(shortOf).join('\n'),
    '## The words',
    ['| word | what it is |', '| --- | --- |', ...glossary.map(([word, is]) => `| ${word} | ${is} |`)].join(
      '\n',
    ),
    'What follows is the proof, question by question: what was claimed and whether it held, and, folded, every command with what it printed.',
    ...explained.flatMap(questionOf),
    '',
  ].join('\n\n')
}

function shortOf({ number, question, answer, verdict, claims }: Explained): string {
  const heading = `${number}. ${question}`
  return `${number}. **[${question}](#${anchorOf(heading)})** ${escaped(inShort[number] ?? answer)} _${verdict}${countOf(claims)}_`
}

function questionOf({
  number,
  question,
  answer,
  experiment,
  verdict,
  claims,
  evidence,
}: Explained): string[] {
  return [
    `## ${number}. ${question}`,
    `**Answer:** ${escaped(answer)}`,
    `**Tried:** ${escaped(experiment)}`,
    `**Verdict:** ${verdict}${countOf(claims)}`,
    claims.map(claimOf).join('\n'),
    ...(evidence.length === 0
      ? []
      : [
          `<details>\n<summary>Evidence: ${evidence.length} ${evidence.length === 1 ? 'piece' : 'pieces'}, each command with what it printed</summary>`,
          ...evidence.flatMap(pieceOf),
          '</details>',
        ]),
  ]
}

function claimOf(one: Claim): string {
  const { mark, because } = judged(one)
  return [
    `- ${mark}: ${escaped(one.claim)}`,
    ...because.split('\n').map((line) => `  - ${escaped(line)}`),
  ].join('\n')
}

function pieceOf({ kind, title, lab, runs }: Evidence): string[] {
  const blocks = runs.map((run) => [promptOf(run), run.output].filter(Boolean).join('\n'))
  return [
    `### ${kind === 'experiment' ? 'Experiment' : 'Evidence'} (${lab}): ${escaped(title)}`,
    ['```console', ...blocks.map(withoutTrailing), '```'].join('\n'),
  ]
}

function withoutTrailing(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n')
}

/** What Markdown would take for its own, but in code. */
function escaped(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll(/[*<[\]]/g, String.raw`\$&`)))
    .join('')
}

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}
