import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bestOf, isRevoked, keysOf } from '../../remote/known-hosts-file.ts'

const a = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC8T'
const b = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPr9lvT1ZyKlaxGJAoI4yhGkoXLEaGwVCqB1tvxLj9Jc'
const ecdsa =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJ3h9l0vZbYy8Q8m9J4o8mXvJrC8GqYpS1f4r3a0z2w0n9r5k8o1vQ=='

test.each([
  ['a plain name', `web1 ${a}\nweb2 ${b}\n`, 'web1', 22, [a]],
  ['names in a list, and a comment', `web1,10.0.0.5 ${a} root@web1\n`, '10.0.0.5', 22, [a]],
  ['upper case is the same', `Web1 ${a}\n`, 'WEB1', 22, [a]],
  ['another port is another name', `web1 ${a}\n[web1]:2222 ${b}\n`, 'web1', 2222, [b]],
  ['patterns', `*.example.com,!db.example.com ${a}\n`, 'web.example.com', 22, [a]],
  ['a pattern that is taken back', `*.example.com,!db.example.com ${a}\n`, 'db.example.com', 22, []],
  ['a dot is a dot', `10.0.0.5 ${a}\n`, '10a0b0c5', 22, []],
  [
    'comments, blank and broken lines',
    `# web1 ${a}\n\nweb1\nweb1 ssh-ed25519 AAAA\nweb1 ${a}\n`,
    'web1',
    22,
    [a],
  ],
  ['a key of no known type', 'web1 ssh-dss AAAAB3NzaC1kc3MAAAA=\n', 'web1', 22, []],
])('%s', (_, text, host, port, keys) => {
  expect(keysOf(text, host, port)).toEqual({ keys, revoked: [], hasAuthority: false })
})

test('an authority is said, a revoked key is never chosen', () => {
  const known = keysOf(`@cert-authority * ${b}\n@revoked web1 ${a}\nweb1 ${a}\n`, 'web1', 22)
  expect(known).toEqual({ keys: [a], revoked: [a], hasAuthority: true })
  expect(bestOf(known)).toBeUndefined()
})

test.each([
  ['without the padding', ecdsa.replace(/=+$/, '')],
  ['with a blank too many and a comment', `${a.replace(' ', '   ')}  root@web1`, a],
  ['under another name of its type', a.replace('ssh-ed25519', 'ed25519'), a],
])('a revoked key is known by its bytes: %s', (_, line, key = ecdsa) => {
  const known = keysOf(`@revoked * ${line}\nweb1 ${b}\n`, 'web1', 22)
  expect(isRevoked(known, `${key} root@web1`)).toBe(true)
  expect(isRevoked(known, b)).toBe(false)
  expect(bestOf({ ...known, keys: [key] })).toBeUndefined()
  expect(bestOf(known)).toBe(b)
})

test('of several the cheapest to check', () => {
  expect(bestOf({ keys: [ecdsa, a], revoked: [], hasAuthority: false })).toBe(a)
})

test("what OpenSSH's own tool has hashed is found, and nothing else", () => {
  const folder = mkdtempSync(join(tmpdir(), 'overlab-known-'))
  try {
    const file = join(folder, 'known_hosts')
    writeFileSync(file, `web1 ${a}\n[web1]:2222 ${b}\n`)
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' })
    const text = readFileSync(file, 'utf8')
    expect(text).not.toContain('web1')
    expect(keysOf(text, 'web1', 22).keys).toEqual([a])
    expect(keysOf(text, 'web1', 2222).keys).toEqual([b])
    expect(keysOf(text, 'web2', 22).keys).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
