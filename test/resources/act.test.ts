/** An act's text reaches a real shell by standard input alone, whatever the login shell. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { carried } from '../../resources/act.ts'

const label = 'node1, act 2: token'
const secret = `it's $HOME "quoted"\n\\é`
const act = carried(
  label,
  {
    command: 'printf "%s" "$TOKEN"; cat; echo " ${r-}${d-}$#" >&2; exit 7',
    delete: 'printf "undone %s" "$TOKEN"',
    environment: { TOKEN: secret },
  },
  false,
)

const shells = ['/bin/dash', '/bin/bash', '/usr/bin/zsh', '/usr/bin/fish', '/bin/csh'].filter(existsSync)

test.each(shells)('%s: runs with its environment, an empty input and its exit code', (shell) => {
  const run = spawnSync(shell, ['-c', act.create], { input: act.stdin, encoding: 'utf8' })
  expect(run).toMatchObject({ status: 7, stdout: secret, stderr: ' 0\n' })
  const undo = spawnSync(shell, ['-c', act.delete!], { input: act.stdin, encoding: 'utf8' })
  expect(undo).toMatchObject({ status: 0, stdout: `undone ${secret}`, stderr: '' })
})

test('the command lines hold the label, and nothing of the act; as root by sudo too', () => {
  for (const become of [false, true]) {
    const { create, delete: undo } = carried(
      label,
      { command: 'login --password hunter2', delete: 'logout hunter2', environment: { TOKEN: 'hunter2' } },
      become,
    )
    for (const line of [create, undo!]) {
      expect(line).toContain(label)
      expect(line).not.toMatch(/hunter2|password|TOKEN/)
    }
    expect(create.includes('sudo')).toBe(become)
  }
})

test("the shell's own messages name the act", () => {
  const { create, stdin } = carried(label, { command: 'no-such-command', environment: {} }, false)
  const { status, stderr } = spawnSync('/bin/dash', ['-c', create], { input: stdin, encoding: 'utf8' })
  expect({ status, stderr }).toMatchObject({
    status: 127,
    stderr: expect.stringMatching(/^node1, act 2: token: /),
  })
})

test('what was cut short on its way is not run, wherever it was cut', () => {
  const { create, stdin } = carried(label, { command: 'echo ran; echo é', environment: { A: '1' } }, false)
  const whole = Buffer.from(stdin)
  expect(spawnSync('sh', ['-c', create], { input: whole, encoding: 'utf8' }).stdout).toBe('ran\né\n')
  for (let length = 0; length < whole.length; length++) {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', create], {
      input: whole.subarray(0, length),
      encoding: 'utf8',
    })
    expect({ status, stdout }).toEqual({ status: 113, stdout: '' })
    expect(stderr).toContain(`${label}: came in cut short, and was not run\n`)
  }
})
