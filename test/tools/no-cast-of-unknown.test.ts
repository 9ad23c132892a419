/** The lint rule that keeps answers from being cast: it sees what it is there for, and lets go what is none. */
import { join } from 'node:path'
import { ESLint } from 'eslint'
import { expect, test } from 'vitest'

const repository = join(import.meta.dirname, '..', '..')

test.each([
  ['JSON.parse(text) as { a: string }', true],
  ['(JSON.parse(text) as unknown) as string[]', true],
  ['(answer ?? []) as string[]', true],
  ['answer as Error', false],
  ['text as `a${string}`', false],
])(
  '%s',
  async (cast, refused) => {
    const lint = new ESLint({ cwd: repository })
    const code = `export function f(text: string, answer: unknown) {\n  void answer\n  return ${cast}\n}\n`
    const [result] = await lint.lintText(code, { filePath: join(repository, 'modules', 'hint.ts') })
    const rules = result!.messages.map(({ ruleId }) => ruleId)
    expect(
      rules.some((rule) => rule === 'overlab/no-cast-of-unknown' || rule === 'no-restricted-syntax'),
    ).toBe(refused)
  },
  120_000,
)
