import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { heredoc } from '../../remote/heredoc.ts'
import { departure } from '../../modules/care.ts'

const cat = (lines: readonly string[]) =>
  execFileSync('sh', ['-c', heredoc('cat', lines).join('\n')], { encoding: 'utf8' })

test.each([[['a', '$b `c` \\d']], [['END', 'echo gone']], [['x\nEND\necho gone', 'END1']]])(
  '%j comes through as it is',
  (lines) => expect(cat(lines)).toBe(`${lines.join('\n')}\n`),
)

test.each(['END', 'OVERLAB_SAVED'])('an owner that holds the line %s stays a text', (word) => {
  const owner = `mine\n${word}\necho gone`
  const script = departure({ owner, confirm: 0 } as Parameters<typeof departure>[0], [], {}, {} as never)
  const [first = ''] = script.split('\n').filter((line) => line.startsWith('cat >$d/owner'))
  const end = /<<'(\w+)'/.exec(first)?.[1] ?? ''
  const text = script.slice(script.indexOf(first) + first.length + 1)
  expect(text.slice(0, text.split('\n').indexOf(end) < 0 ? 0 : text.indexOf(`\n${end}`))).toBe(owner)
})
