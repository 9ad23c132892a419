/** Files that an inventory names, relative to itself. */
import { dirname, isAbsolute, join } from 'node:path'
import type { Sources } from './references.ts'

/** Tells whether there is a file or folder. */
export type Exists = (path: string) => boolean

export interface Files {
  /** The inventory file. */
  readonly file: string
  readonly exists: Exists
  /** Given where the values of references are needed, so that a missing one is a mistake. */
  readonly sources?: Sources | undefined
}

export function pathBeside(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path)
}
