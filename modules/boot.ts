/**
 * What makes a host restore its data plane by itself at boot: a unit of systemd's, and the file of data that it reads.
 * The row says only that it does; whether the files are those of the plan is read from their digests. So nothing
 * here has to change for a preview when a route does, and a refresh tells what on the disk differs.
 *
 * The files are written in the last phase, when the change of the kernel is done and, where it must be, confirmed.
 */
import { createHash } from 'node:crypto'
import { quote } from '../remote/quote.ts'
import {
  bootPaths,
  dataFile,
  managerFolder,
  ownFolders,
  unit,
  unitFile,
  wishes,
  type BootFiles,
} from './boot/files.ts'
import { diffTable, type BatchLine, type Change, type Module, type Row } from './module.ts'
import { rowSchema } from './words.ts'

const line = `restores ${dataFile}`

/** Beside `PATH differs` and `PATH is missing`. */
const notEnabled = 'not enabled'

export const restoredAtBoot: Row = { key: unit, line }

export const bootModule: Module = {
  table: 'boot',
  noun: 'boot unit',
  row: rowSchema(({ key, line: said }, complain) => {
    if (key !== unit) complain('key', `is not ${unit}, the only unit of overlab's`)
    if (said !== line) complain('line', `is not "${line}"`)
    return line
  }),

  probe: ({ desired, prior }) =>
    Object.keys({ ...desired, ...prior }).length === 0
      ? ':'
      : [
          `for file in ${bootPaths.join(' ')}; do if [ -f "$file" ]; then sha256sum "$file"; fi; done`,
          `for link in ${wishes.join(' ')}; do if [ -e "$link" ]; then echo "enabled $link"; fi; done`,
          `if [ -d ${managerFolder} ]; then echo 'read ${managerFolder}'; fi`,
        ].join('\n'),

  parse(output, { desired, prior, bootFiles }) {
    const said = new Map(output.split('\n').map((one) => [one.split(/ +/)[1], one.split(' ')[0]]))
    const isThere = [...wishes, ...bootPaths].some((path) => said.has(path))
    if (!isThere || !(unit in { ...desired, ...prior })) return {}
    const wrong = Object.entries(bootFiles ?? {}).flatMap(([path, lines]) => {
      const found = said.get(path)
      if (found === digest(lines)) return []
      if (found !== undefined) return [`${path} differs`]
      return isRead(path, said.has(managerFolder)) ? [`${path} is missing`] : []
    })
    if (!wishes.every((link) => said.has(link))) wrong.push(notEnabled)
    return { [unit]: wrong.join(', ') || line }
  },

  diff: (current, desired) => diffTable('boot', current, desired),

  render(changes, { bootFiles }) {
    const lines = changes.flatMap((change): BatchLine[] =>
      linesFor(change, bootFiles ?? {}).map((text) => ({ text, change })),
    )
    return [{ phase: 'keep', command: 'sh -e', lines }]
  },
}

function linesFor(change: Change, files: BootFiles): string[] {
  if (change.op === 'delete') return removal
  return writing(files, change.op === 'change' ? change.from : undefined)
}

function digest(lines: readonly string[]): string {
  return createHash('sha256')
    .update(`${lines.join('\n')}\n`)
    .digest('hex')
}

/** NetworkManager's settings are for hosts that have it. */
function isRead(path: string, hasManager: boolean): boolean {
  return hasManager || !path.startsWith(`${managerFolder}/`)
}

/**
 * Each file is whole or as it was, and on the disk when the apply ends: the power may be cut right after. Only what
 * differs is written, with few processes, since each takes an emulated CPU longer than its work.
 */
function writing(files: BootFiles, from: string | undefined): string[] {
  const differs = (path: string) =>
    from === undefined || from.split(', ').some((problem) => problem.startsWith(`${path} `))
  const written = Object.entries(files).filter(([path]) => differs(path))
  const links = from === undefined || from.split(', ').includes(notEnabled) ? wishes : []
  const folders = [...written.map(([path]) => path).filter((path) => isRead(path, false)), ...links].map(
    folderOf,
  )
  const reload = links.length > 0 || written.some(([path]) => path === unitFile)
  return [
    `folders='${[...new Set(folders)].join(' ')}'; files=`,
    'if [ "$folders" ]; then mkdir -p $folders; fi',
    // cat tells why it cannot write; a shell's own printf does not.
    'put() { f=$1; shift; printf \'%s\\n\' "$@" | cat >"$f.new"; files="$files $f"; folders="$folders ${f%/*}"; }',
    ...written.map(([path, lines]) => {
      const text = `put ${[path, ...lines].map(quote).join(' ')}`
      return isRead(path, false)
        ? text
        : `if [ -d ${managerFolder} ]; then mkdir -p ${folderOf(path)}; ${text}; fi`
    }),
    `if [ "$files" ]; then sync $(printf '%s.new ' $files); fi`,
    'for f in $files; do mv "$f.new" "$f"; done',
    ...links.map((link) => `ln -sf ${unitFile} ${link}`),
    'if [ "$folders" ]; then sync $folders; fi',
    // A restart of a network manager is to be followed by one of the unit, from now on.
    ...(reload ? ['[ ! -d /run/systemd/system ] || systemctl daemon-reload'] : []),
  ]
}

function folderOf(path: string): string {
  return path.replace(/\/[^/]*$/, '')
}

const removal = [
  // It would say for ever that it is active.
  `[ ! -d /run/systemd/system ] || systemctl stop ${unit}`,
  `rm -f ${[...wishes, ...bootPaths].join(' ')}`,
  `rmdir ${ownFolders.join(' ')} 2>/dev/null || :`,
  '[ ! -d /run/systemd/system ] || systemctl daemon-reload',
]
