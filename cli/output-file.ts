/** A file that the user names for what a verb writes. */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs'
import { dirname, extname } from 'node:path'
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

/** Endings that promise a form. Any other (`lab.monday`, none) promises nothing. */
const promising: ReadonlySet<string> = new Set(
  `.png .jpg .jpeg .gif .webp .bmp .tif .tiff .svg .pdf .ps .eps .html .htm .xhtml .xml .json .yaml .yml
   .csv .tsv .txt .md .mmd .mermaid .dot .gv .doc .docx .odt .xls .xlsx .ods .zip .gz`.split(/\s+/),
)

/**
 * A name that promises another form than what the verb writes would give a file that no program opens.
 * @param endings of what is written: `['.json']`
 * @param kind what is written: `JSON`
 * @param todo how the user comes to such a file all the same, where there is a way
 * @throws UserError
 */
export function checkEnding(
  file: string,
  option: string,
  endings: readonly string[],
  kind: string,
  todo = `choose a name that ends in ${endings.join(' or ')}`,
): void {
  const ending = extname(file).toLowerCase()
  if (promising.has(ending) && !endings.includes(ending))
    throw new UserError(`${option} ${file}: this verb writes ${kind}, no ${ending} file`, todo)
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
