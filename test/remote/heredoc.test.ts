import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { departure } from '../../modules/care.ts'
import { heredoc } from '../../remote/heredoc.ts'

const cat = (lines: readonly string[]) =>
  execFileSync('sh', ['-c', heredoc('cat', lines).join('\n')], { encoding: 'utf8' })

test.each([[['a', '$b `c` \\d']], [['END', 'echo gone']], [['x\nEND\necho gone', 'END1']]])(
  '%j comes through as it is',
  (lines) => expect(cat(lines)).toBe(`${lines.join('\n')}\n`),
)

test.each(['END', 'OVERLAB_SAVED'])('an owner that holds the line %s stays a text', (word) => {
  const owner = `mine\n${word}\necho gone`
  const plan = { desired: {}, prior: {}, facts: { nic: 'eth0', iptables: 'auto' as const } }
  const script = departure({ owner, confirm: 0 }, [], {}, plan)
  // From the first line that writes the owner to the end of the script, with `cat` alone in place of the file.
  const written = script.slice(script.indexOf('cat >$d/owner')).replace('cat >$d/owner', 'cat')
  const [, text] = /^(cat <<'(\w+)'.*\n[^]*?\n\2)\n/.exec(`${written}\n`) ?? []
  expect(execFileSync('sh', ['-c', `lost() { exit 1; }\n${text}`], { encoding: 'utf8' })).toBe(`${owner}\n`)
})
