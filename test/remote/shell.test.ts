import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { quote } from '../../remote/quote.ts'
import { afterMark, become, input, isTruncated, rootLine, shellCommand } from '../../remote/shell.ts'

// Real processes on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const mark = '0123456789abcdef'

/** As sshd does it: the user's login shell with -c. */
function login(shell: string, bytes: Buffer) {
  const { status, stdout, stderr } = spawnSync(shell, ['-c', shellCommand], {
    input: bytes,
    maxBuffer: 2 ** 26,
  })
  return { status, stdout: afterMark(stdout, mark), stderr: afterMark(stderr, mark) }
}

/** A folder with a `sudo` that only runs its command. */
const sudo = mkdtempSync(join(tmpdir(), 'overlab-sudo-'))
writeFileSync(join(sudo, 'sudo'), '#!/bin/sh\n[ "$1 $2" = "-n --" ] && shift 2 && exec "$@"\n', {
  mode: 0o755,
})
afterAll(() => rmSync(sudo, { recursive: true }))

const shells = ['/bin/dash', '/bin/bash', '/usr/bin/zsh', '/usr/bin/fish', '/bin/csh'].filter((shell) =>
  existsSync(shell),
)

for (const shell of shells) {
  test(`${shell}: outputs, exit code, empty input, no variables left over`, () => {
    const { status, stdout, stderr } = login(
      shell,
      input('cat; echo "a${s-}${m-}${n-}é"; echo no >&2; (exit 7) # end', mark),
    )
    expect(stdout?.toString()).toBe('aé\n')
    expect(stderr?.toString()).toBe('no\n')
    expect(status).toBe(7)
  })

  test(`${shell}: tools of sbin are found, whatever a start-up file made of PATH`, () => {
    // As sshd and a start-up file would leave it; `sudo -n --` keeps what it is told to keep.
    const run = (line: string, bytes = '') =>
      spawnSync(shell, ['-c', line], {
        input: bytes,
        env: { PATH: `${sudo}:/usr/bin:/bin`, SSH_CONNECTION: '192.0.2.1 5 192.0.2.2 22' },
      }).stdout.toString()
    const script = 'command -v tc; echo "$SSH_CONNECTION"'
    const found = '/usr/sbin/tc\n192.0.2.1 5 192.0.2.2 22\n'
    for (const line of [shellCommand, become(shellCommand)])
      expect(afterMark(Buffer.from(run(line, input(script, mark).toString())), mark)?.toString()).toBe(found)
    for (const asRoot of [false, true]) expect(run(rootLine(script, asRoot))).toBe(found)
  })

  test(`${shell}: words arrive as they are`, () => {
    const words = ['a!b', '!!', '\\!', 'two\nlines', '\\\\', "\\'", '"$HOME" `id`', 'é!', '%s\\n', "it's !"]
    for (const word of words)
      for (const asRoot of [false, true]) {
        const { stdout } = spawnSync(shell, ['-c', rootLine(`printf '%s' ${quote(word)}`, asRoot)], {
          env: { PATH: `${sudo}:/usr/bin:/bin`, HOME: '/root', SSH_CONNECTION: '' },
        })
        expect([word, stdout.toString()]).toEqual([word, word])
      }
  })

  test(`${shell}: nothing of a script that was cut off runs, wherever it was cut`, () => {
    const whole = input('echo ran; echo ran >&2; echo é', mark)
    for (let length = mark.length + 4; length < whole.length; length++) {
      const { status, stdout, stderr } = login(shell, whole.subarray(0, length))
      expect(stdout?.toString()).toBe('')
      expect(isTruncated(status ?? -1, stderr ?? Buffer.alloc(0), mark)).toBe(true)
    }
  })

  test(`${shell}: a script of 5 MB`, () => {
    const rows = Array.from({ length: 100_000 }, (_, i) => `route replace 10.244.${i}.0/24 via 10.244.2.0 é`)
    const script = `x=1\n`.repeat(100_000) + `cat <<'E' | wc -l\n${rows.join('\n')}\nE`
    expect(Buffer.byteLength(script)).toBeGreaterThan(4_500_000)
    expect(login(shell, input(script, mark)).stdout?.toString().trim()).toBe('100000')
  })
}

test("a script's own exit 113 is not taken for a cut", () => {
  const { status, stderr } = login('/bin/sh', input('exit 113', mark))
  expect(isTruncated(status ?? -1, stderr ?? Buffer.alloc(0), mark)).toBe(false)
})

test('what stands before the mark is dropped, and without a mark there is no output', () => {
  expect(afterMark(Buffer.from(`Welcome!\n${mark}\nout\n`), mark)?.toString()).toBe('out\n')
  expect(afterMark(Buffer.from('This account is not available.\n'), mark)).toBeUndefined()
})

test('a zero byte is refused', () => {
  expect(() => input('echo \0', mark)).toThrow('a script cannot hold a zero byte')
})
