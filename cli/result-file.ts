/** A file that an experiment wrote, read again and checked by its schema. */
import { readFileSync } from 'node:fs'
import type * as z from 'zod'
import { UserError } from './user-error.ts'
import { overlabCommand } from '../tools/command-line.ts'

/** @param verb that writes such a file; @throws UserError where it is not there, or no such result */
export function readResult<Result>(file: string, schema: z.ZodType<Result>, verb: string): Result {
  const wrong = (why: string) =>
    new UserError(`${file} ${why}`, `${overlabCommand(`${verb} --output FILE`)} writes one`, 1)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw wrong(`can not be read: ${(error as Error).message}`)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw wrong('is no JSON')
  }
  const read = schema.safeParse(json)
  if (!read.success) throw wrong(`is no result of ${verb}`)
  return read.data
}
