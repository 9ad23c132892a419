import type { Command } from 'commander'
import { examine, type Finding } from '../tools/doctor.ts'
import { addExamples } from './help.ts'
import { jsonOption, type LabOptions } from './lab-options.ts'
import { paint, pairs, print, printJson, table } from './output.ts'

export function doctorVerb(command: Command): void {
  command
    .description(
      'Looks only; changes nothing. The exit status is 1 where something is missing without which no lab works.',
    )
    .addOption(jsonOption)
    .action(doctor)
  addExamples(command, [
    ['./overlab doctor', 'what is here, what is not, and what to do about it'],
    ['./overlab doctor --json | jq \'.[] | select(.status != "ok")\'', 'only what is not here'],
  ])
}

async function doctor({ json }: LabOptions): Promise<void> {
  const findings = await examine()
  if (json) printJson(findings)
  else print(draw(findings))
  process.exitCode = findings.some(({ status }) => status === 'missing') ? 1 : 0
}

/** What to do stands below the table: it is too long for a column of it. */
function draw(findings: readonly Finding[]): string {
  const missing = findings.filter(({ status }) => status === 'missing')
  const remedies = findings.filter(({ remedy }) => remedy)
  const verdict =
    missing.length === 0
      ? paint('green', 'labs work here')
      : paint('red', `labs do not work here: ${missing.map(nameOf).join(', ')} missing`)
  return [
    tableOf(findings),
    '',
    ...(remedies.length > 0
      ? [paint('bold', 'What to do'), ...pairs(remedies.map((one) => [nameOf(one), one.remedy])), '']
      : []),
    verdict,
  ].join('\n')
}

function tableOf(findings: readonly Finding[]): string {
  return table<Finding>(
    [
      { title: 'WHAT', value: nameOf },
      { title: 'STATUS', value: ({ status }) => paint(colours[status], words[status]) },
      { title: 'VERSION', wraps: true, value: ({ version }) => version || '-' },
      { title: 'NEEDED FOR', wraps: true, value: ({ neededFor }) => neededFor },
    ],
    findings,
  )
}

function nameOf({ group, name }: Finding): string {
  return group === 'kernel' ? `kernel: ${name.replace(/^kernel: /, '')}` : name
}

const words = { ok: 'ok', missing: 'missing', optional: 'not here' } as const
const colours = { ok: 'green', missing: 'red', optional: 'yellow' } as const
