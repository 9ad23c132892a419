/** Reads a result file's text: what is wrong with it is told by its place in the JSON. Pure. */
import type * as z from 'zod'
import { suggestion } from '../../inventory/suggest.ts'
import { comparison, type Comparison } from './comparison.ts'
import { survival, type Survival } from './survival.ts'

/** What a text is that is no result file, or not the one that was asked for, and what to do. */
export class ResultError extends Error {
  override readonly name = 'ResultError'
  readonly todo: string

  constructor(what: string, todo: string) {
    super(what)
    this.todo = todo
  }
}

/** The kinds of result file, and the verb that writes each. */
export const resultKinds = {
  comparison: { kind: 'overlab.comparison', verb: 'compare' },
  survival: { kind: 'overlab.survival', verb: 'survive' },
} as const
type ResultKind = keyof typeof resultKinds

/** @throws ResultError */
export function readComparison(text: string): Comparison {
  return read(text, 'comparison', comparison, ({ variants, metrics, samples }) => {
    const names = variants.map(({ name }) => name)
    const ids = metrics.map(({ id }) => id)
    return [
      ...twice(names, 'variants'),
      ...twice(ids, 'metrics'),
      ...unknown('variant', samples, names, 'samples'),
      ...unknown('metric', samples, ids, 'samples'),
      ...twice(
        samples.map(({ variant, metric, round, of = '' }) => `${variant} ${metric} round ${round} ${of}`),
        'samples',
      ),
    ]
  })
}

/** @throws ResultError */
export function readSurvival(text: string): Survival {
  return read(text, 'survival', survival, ({ variants, faults, cells }) => {
    const names = variants.map(({ name }) => name)
    const ids = faults.map(({ id }) => id)
    return [
      ...twice(names, 'variants'),
      ...twice(ids, 'faults'),
      ...unknown('variant', cells, names, 'cells'),
      ...unknown('fault', cells, ids, 'cells'),
      ...twice(
        cells.map(({ variant, fault }) => `${variant} ${fault}`),
        'cells',
      ),
      ...cells.flatMap((cell, index) =>
        'lost' in cell && cell.lost > cell.sent
          ? [`cells[${index}].lost: is ${cell.lost}, more than the ${cell.sent} that were sent`]
          : [],
      ),
    ]
  })
}

function read<T>(
  text: string,
  kind: ResultKind,
  schema: z.ZodType<T>,
  mistakesOf: (value: T) => readonly string[],
): T {
  const again = `./overlab ${resultKinds[kind].verb} makes it anew`
  const value = parsed(text, again)
  mustBeOf(kind, value, again)
  const result = schema.safeParse(value)
  const mistakes = result.success ? mistakesOf(result.data) : result.error.issues.map(sentence)
  if (result.success && mistakes.length === 0) return result.data
  const more = mistakes.length - most
  throw new ResultError(
    mistakes.slice(0, most).join('\n  ') + (more > 0 ? `\n  and ${more} more` : ''),
    again,
  )
}

/** Mistakes told at a time. */
const most = 5

function parsed(text: string, again: string): unknown {
  if (text.trim() === '') throw new ResultError('is empty', again)
  try {
    return JSON.parse(text)
  } catch (error) {
    // Node quotes the text around the mistake, which may be anything.
    const why = (error as Error).message.replace(/, ?(?:\.\.\.)?".*is not valid JSON$/s, '')
    throw new ResultError(`is no JSON, or not all of it: ${why}`, again)
  }
}

function mustBeOf(kind: ResultKind, value: unknown, again: string): void {
  const { kind: found, version } = (typeof value === 'object' && value !== null ? value : {}) as {
    kind?: unknown
    version?: unknown
  }
  const { kind: wanted, verb } = resultKinds[kind]
  const other = Object.values(resultKinds).find((one) => one.kind === found)
  if (other && other.kind !== wanted)
    throw new ResultError(
      `kind: this is what overlab ${other.verb} writes, not overlab ${verb}`,
      'are the two files exchanged?',
    )
  if (found !== wanted)
    throw new ResultError(
      `kind: must be ${wanted}, is ${said(found)}`,
      `name the file that overlab ${verb} wrote`,
    )
  if (version === 1) return
  throw new ResultError(
    `version: this overlab reads version 1, not ${said(version)}`,
    typeof version === 'number' && version > 1 ? 'use the overlab that wrote it' : again,
  )
}

function said(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 80)
}

/** `samples[3].value: expected number, received string` */
function sentence(issue: z.core.$ZodIssue): string {
  const { path, message } = deepest(issue)
  const place = path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
  return `${place || 'the file'}: ${message.replace(/^Invalid input: /, '')}`
}

/** Of alternatives, what is wrong with the one that has the fewest mistakes: it is the one that was meant. */
function deepest(issue: z.core.$ZodIssue): { path: readonly PropertyKey[]; message: string } {
  const [meant = []] =
    issue.code === 'invalid_union' ? issue.errors.toSorted((a, b) => a.length - b.length) : []
  const [first] = meant
  if (!first) return issue
  const inner = deepest(first)
  return { path: [...issue.path, ...inner.path], message: inner.message }
}

function twice(keys: readonly string[], list: string): string[] {
  const places = new Map<string, number>()
  return keys.flatMap((key, index) => {
    const first = places.get(key)
    if (first === undefined) places.set(key, index)
    return first === undefined ? [] : [`${list}[${index}]: is there twice, as ${list}[${first}] too`]
  })
}

/** What refers to a variant, a metric or a fault that the file does not have. */
function unknown<Name extends string>(
  name: Name,
  all: readonly Readonly<Record<Name, string>>[],
  known: readonly string[],
  list: string,
): string[] {
  return all.flatMap((one, index) =>
    known.includes(one[name])
      ? []
      : [`${list}[${index}].${name}: the file has no ${name} ${one[name]}; ${suggestion(one[name], known)}`],
  )
}
