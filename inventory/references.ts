/** Values that an inventory does not hold but refers to: variables and files of the controller. For secrets. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** `from_file` is absolute, relative to the working folder, or begins with `~/`. */
export type Reference = { readonly from_env: string } | { readonly from_file: string }

/** What a variable of an act is set to. */
export type EnvironmentValue = string | Reference

/** Where references lead. */
export interface Sources {
  readonly variable: (name: string) => string | undefined
  /** @throws NodeJS.ErrnoException where it can not be read */
  readonly file: (path: string) => Buffer
}

/** This process's environment and this computer's files. */
export const controllerSources: Sources = {
  variable: (name) => process.env[name],
  file: (path) => readFileSync(path.startsWith('~/') ? join(homedir(), path.slice(2)) : path),
}

/** The kernel takes no variable longer than 128 KiB (MAX_ARG_STRLEN), its name included. */
const mostBytes = 100_000

/**
 * The text that a value stands for: of a file without the newlines at its end, as the shell's `$(cat FILE)`.
 * What is wrong with it, and what to do, where there is none. The text itself is in no message.
 */
export function resolved(
  value: EnvironmentValue,
  { variable, file }: Sources,
): { readonly text: string } | { readonly what: string; readonly todo: string } {
  if (typeof value === 'string') return { text: value }
  if ('from_env' in value) {
    const name = value.from_env
    const text = variable(name)
    const todo = `export ${name} in the shell that runs overlab`
    if (text === undefined) return { what: `the variable ${name} is not set`, todo }
    return text === ''
      ? { what: `the variable ${name} is empty`, todo }
      : carried(text, `the variable ${name}`)
  }
  const name = `the file ${value.from_file}`
  let bytes
  try {
    bytes = file(value.from_file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : String(error)
    if (code === 'ENOENT')
      return { what: `there is no file ${value.from_file}`, todo: 'make it, or correct the path' }
    if (code === 'EISDIR') return { what: `${value.from_file} is a folder`, todo: 'name a file in it' }
    if (code === 'EACCES')
      return { what: `${name} may not be read by this user`, todo: 'check its permissions' }
    return { what: `${name} cannot be read (${String(code)})`, todo: 'check the file' }
  }
  let text
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\n+$/, '')
  } catch {
    return { what: `${name} is not UTF-8 text`, todo: 'encode it, for example by base64' }
  }
  return text === '' ? { what: `${name} is empty`, todo: 'write the value into it' } : carried(text, name)
}

/** What no environment can hold. */
function carried(text: string, name: string): ReturnType<typeof resolved> {
  if (text.includes('\0'))
    return { what: `${name} holds a zero byte`, todo: 'encode it, for example by base64' }
  if (Buffer.byteLength(text) > mostBytes)
    return {
      what: `${name} is longer than ${mostBytes} bytes`,
      todo: 'copy it as a file instead (copy: and to:)',
    }
  return { text }
}
