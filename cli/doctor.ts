import { defineCommand } from 'citty'
import { examine, type Finding } from '../tools/doctor.ts'
import { paint, print, printJson, table } from './output.ts'

export const doctorCommand = defineCommand({
  meta: {
    name: 'doctor',
    description: 'What this machine offers: tools, versions, kernel features per backend. Exit status 1 if labs cannot work',
  },
  args: { json: { type: 'boolean', description: 'JSON on standard output, for machines' } },
  async run({ args }) {
    const findings = await examine()
    if (findings.some((finding) => finding.status === 'missing')) process.exitCode = 1
    if (args.json) return printJson(findings)
    print(
      table<Finding>(
        [
          { title: 'WHAT', value: ({ group, name }) => (group === 'kernel' ? `kernel: ${name.replace(/^kernel: /, '')}` : name) },
          { title: 'STATUS', value: ({ status }) => paint(colours[status], words[status]) },
          { title: 'VERSION', value: ({ version }) => version },
          { title: 'NEEDED FOR', value: ({ neededFor }) => neededFor },
          { title: 'WHAT TO DO', value: ({ remedy }) => remedy },
        ],
        findings,
      ),
    )
  },
})

const words = { ok: 'ok', missing: 'missing', optional: 'not here' } as const
const colours = { ok: 'green', missing: 'red', optional: 'yellow' } as const
