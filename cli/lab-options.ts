/** The options that every verb about a lab has. */
import { Option } from 'commander'

export const stackOption = new Option(
  '-s, --stack <NAME>',
  'The stack to work on; else the selected one (pulumi stack select)',
)
export const jsonOption = new Option('--json', 'JSON on standard output, for programs')

/** What the two give. */
export interface LabOptions {
  readonly stack?: string
  readonly json?: true
}
