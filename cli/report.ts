import { readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { reportPage, type Source } from '../experiments/report/page.ts'
import { readComparison, readSurvival, ResultError } from '../experiments/results/read.ts'
import { makeOwnFolder } from '../tools/own-folder.ts'
import { ownFolder } from '../tools/paths.ts'
import { overlabVersion } from '../tools/versions.ts'
import { addExamples } from './help.ts'
import { checkEnding, checkOutput, writeOutput } from './output-file.ts'
import { print } from './output.ts'
import { UserError } from './user-error.ts'
import { overlabCommand } from '../tools/command-line.ts'

const folder = join(ownFolder(), 'results')

export function reportVerb(command: Command): void {
  command
    .description(
      'Makes one HTML page of what `compare` and `survive` measured: the findings in sentences, the table, a chart for each measure, the matrix of faults, the lab and where the numbers come from. The page is whole: it needs no network and no script, is readable on a phone and in the dark, and prints. Of a file that is missing it says which command makes it.',
    )
    .option('--comparison <FILE>', 'What compare wrote; default .overlab/results/comparison.json')
    .option('--survival <FILE>', 'What survive wrote; default .overlab/results/survival.json')
    .option('-o, --output <FILE>', 'The page; default .overlab/results/report.html')
    .action(report)
  addExamples(command, [
    ['./overlab report', 'a page of the last results'],
    ['./overlab report --output report.html', 'the page, to be passed on'],
    ['./overlab report --comparison monday.json --survival monday-faults.json', 'older results'],
  ])
}

interface Options {
  readonly comparison?: string
  readonly survival?: string
  readonly output?: string
}

async function report(options: Options): Promise<void> {
  const output = options.output ?? join(folder, 'report.html')
  const comparison = source('comparison', options, readComparison, output)
  const survival = source('survival', options, readSurvival, output)
  if (!comparison && !survival)
    throw new UserError(
      `there is nothing to report yet: ${shown(join(folder, 'comparison.json'))} and ${shown(join(folder, 'survival.json'))} are both missing`,
      `${overlabCommand('compare')} makes the one, ${overlabCommand('survive')} the other`,
      1,
    )
  checkEnding(output, '--output', ['.html', '.htm', '.xhtml'], 'an HTML page', pageAs(output))
  if (options.output === undefined) makeOwnFolder('results')
  checkOutput(output, '--output')
  const version = overlabVersion
  const page = await reportPage({ ...(comparison && { comparison }), ...(survival && { survival }), version })
  writeOutput(output, page, '--output')
  print(
    [
      `${shown(output)}: ${Math.ceil(Buffer.byteLength(page) / 1024)} KiB, nothing else is needed to read it`,
      `  comparison  ${
        comparison
          ? `${comparison.result.variants.length} variants, ${comparison.result.metrics.length} measures, ${comparison.result.rounds} rounds, from ${shown(comparison.path)}`
          : `missing: ${overlabCommand('compare')} measures it`
      }`,
      `  survival    ${
        survival
          ? `${survival.result.faults.length} faults, ${survival.result.variants.length} variants, from ${shown(survival.path)}`
          : `missing: ${overlabCommand('survive')} measures it`
      }`,
      `  open it     ${pathToFileURL(resolve(output)).href}`,
    ].join('\n'),
  )
}

/** A PDF is a matter of the browser. */
function pageAs(output: string): string {
  const page = 'choose a name that ends in .html'
  return extname(output).toLowerCase() === '.pdf' ? `${page}, open it and print it to a PDF` : page
}

/** Undefined where there is no such file, and none was named. @throws UserError */
function source<Result>(
  kind: 'comparison' | 'survival',
  options: Options,
  read: (text: string) => Result,
  output: string,
): (Source<Result> & { readonly path: string }) | undefined {
  const named = options[kind]
  const path = named ?? join(folder, `${kind}.json`)
  const text = textOf(path, named === undefined ? undefined : `--${kind}`)
  if (text === undefined) return undefined
  if (isSame(path, output))
    throw new UserError(`${shown(path)} would be overwritten by the page`, 'choose another --output')
  try {
    const beside = realpathOf(dirname(path)) === realpathOf(dirname(output))
    const file = basename(path)
    return { result: read(text), path, file, ...(beside && { href: encodeURIComponent(file) }) }
  } catch (error) {
    if (!(error instanceof ResultError)) throw error
    throw new UserError(`${shown(path)}: ${error.message}`, error.todo, 1)
  }
}

/** @param option that named it: then it must be there */
function textOf(path: string, option: string | undefined): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && option === undefined) return undefined
    const why: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      ENOTDIR: 'its folder is no folder',
      EISDIR: 'it is a folder',
      EACCES: 'you may not read it',
    }
    throw new UserError(
      `${shown(path)} can not be read: ${why[code] ?? message}`,
      option ? `name another file by ${option}` : 'see to that, or name another file',
    )
  }
}

/** As the user would type it from here. */
function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('../../') ? path : short || path
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }))
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino
}

function realpathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}
