/** A file that the user names for what a verb writes. */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { UserError } from './user-error.ts'

/** @param option what to change where it can not be written: `--out`. @throws UserError */
export function writeOutput(file: string, text: string, option: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw notWritable(file, error, option)
  }
}

/** Before minutes of work: whether the file could be written now. Nothing is made. @throws UserError */
export function checkOutput(file: string, option: string): void {
  try {
    const there = statSync(file, { throwIfNoEntry: false })
    if (there?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    accessSync(there ? file : dirname(file), constants.W_OK)
  } catch (error) {
    throw notWritable(file, error, option)
  }
}

function notWritable(file: string, error: unknown, option: string): UserError {
  const { code = '', message } = error as NodeJS.ErrnoException
  const why: Readonly<Record<string, string>> = {
    ENOENT: 'its folder does not exist',
    ENOTDIR: 'its folder is no folder',
    EISDIR: 'it is a folder',
    EACCES: 'you may not write there',
  }
  return new UserError(`${file} can not be written: ${why[code] ?? message}`, `choose another ${option}`)
}
