/** The first line of a verb: on which lab and stack it works. */
import { repository } from '../tools/paths.ts'
import { callerFrom } from './project.ts'
import type { LabOptions } from './lab-options.ts'
import { complain } from './output.ts'

/**
 * On standard error, so that what is asked for can be piped on; nothing where a program reads or the user wants quiet.
 * @param lab undefined where the inventory does not say it
 */
export function sayLab(
  lab: string | undefined,
  stack: string,
  { json, quiet }: Pick<LabOptions, 'json' | 'quiet'>,
): void {
  if (json || quiet) return
  const place = callerFrom() === 'the project' ? '' : `, project ${repository}`
  complain(`${lab === undefined ? '' : `lab ${lab}, `}stack ${stack}${place}`)
}
