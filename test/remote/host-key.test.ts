import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { fingerprint, hostKeyAlgorithms, parseHostKey, sameKey } from '../../remote/host-key.ts'

// Real processes on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

test.each(['ed25519', 'ecdsa', 'rsa'])('%s: the fingerprint is that of ssh-keygen', (type) => {
  const dir = mkdtempSync(join(tmpdir(), 'overlab-key-'))
  try {
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', join(dir, 'k')])
    const key = parseHostKey(readFileSync(join(dir, 'k.pub'), 'utf8'))
    expect(execFileSync('ssh-keygen', ['-lf', join(dir, 'k.pub')], { encoding: 'utf8' }).split(' ')[1]).toBe(
      fingerprint(key.blob),
    )
  } finally {
    rmSync(dir, { recursive: true })
  }
})

const good = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC8T'

test.each([
  [
    '',
    'is of type ""; supported are ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384, ecdsa-sha2-nistp521, ssh-rsa',
  ],
  ['ssh-dss AAAA', 'is of type "ssh-dss"; supported are'],
  ['constructor AAAA', 'is of type "constructor"; supported are'],
  ['ssh-ed25519', 'is not a whole ssh-ed25519 key; expected "ssh-ed25519 AAAA..."'],
  ['ssh-ed25519 AAAAB3NzaC1yc2EAAAADAQAB', 'is not a whole ssh-ed25519 key'],
])('%j: %s', (text, message) => expect(() => parseHostKey(text)).toThrow(message))

test('one bit makes another key', () => {
  const { blob } = parseHostKey(`  ${good} comment\n`)
  const other = Buffer.from(blob)
  other[other.length - 1]! ^= 1
  expect([sameKey(blob, Buffer.from(blob)), sameKey(blob, other), sameKey(blob, blob.subarray(1))]).toEqual([
    true,
    false,
    false,
  ])
})

test('the pinned type is asked for first, each once', () => {
  const names = hostKeyAlgorithms({ type: 'ssh-rsa', blob: Buffer.alloc(0) })
  expect(names.slice(0, 2)).toEqual(['rsa-sha2-512', 'rsa-sha2-256'])
  expect(new Set(names).size).toBe(names.length)
  expect(names).not.toContain('ssh-rsa')
})
