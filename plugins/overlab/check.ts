/** Pulumi's Check by a zod schema: every mistake at its property. */
import type { z } from 'zod'
import { propertyPath } from '../server/diff.ts'
import type { CheckFailure, CheckResult } from '../server/handlers.ts'
import { containsUnknown, type Value, type Values } from '../server/values.ts'

/**
 * Checks `news` and returns them in canonical form, or each mistake with its property path. In a preview some
 * values are not known yet (a machine's host key before the machine is there): what is said of those is no mistake.
 */
export function checkBy(schema: z.ZodType<object>, news: Values): CheckResult {
  const result = schema.safeParse(news)
  if (result.success) return { inputs: result.data as Values }
  const failures: CheckFailure[] = result.error.issues
    .filter((issue) => !containsUnknown(valueAt(news, issue.path)))
    .map((issue) => ({ property: pathOf(issue.path), reason: issue.message }))
  return { inputs: news, failures }
}

function valueAt(values: Values, path: readonly PropertyKey[]): Value {
  let value: unknown = values
  for (const key of path)
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  // eslint-disable-next-line overlab/no-cast-of-unknown -- a part of a Value
  return (value ?? null) as Value
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (whole, key) => (typeof key === 'number' ? `${whole}[${key}]` : propertyPath(whole, String(key))),
    '',
  )
}
