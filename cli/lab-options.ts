/** The options that every verb about a lab has. */
import { Option } from 'commander'

export const stackOption = new Option(
  '-s, --stack <NAME>',
  'The stack to work on; else the selected one (pulumi stack select)',
)
export const jsonOption = new Option('--json', 'JSON on standard output, for programs')
export const quietOption = new Option(
  '-q, --quiet',
  'No line that names lab and stack, and no progress; only what was asked for',
)

/** What the three give. */
export interface LabOptions {
  readonly stack?: string
  readonly json?: true
  readonly quiet?: true
}
