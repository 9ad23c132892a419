/** Files that an inventory names, relative to itself. */
import { dirname, isAbsolute, join } from 'node:path'

/** Tells whether there is a file or folder; the only question that the loader asks the disk beside the file itself. */
export type Exists = (path: string) => boolean

export interface Files {
  /** The inventory file. */
  readonly file: string
  readonly exists: Exists
}

export function pathBeside(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path)
}
