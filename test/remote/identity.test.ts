import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { HostError } from '../../remote/errors.ts'
import { loginOf } from '../../remote/identity.ts'

const folder = mkdtempSync(join(tmpdir(), "overlab-identity's-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** A key of OpenSSH's own tool; returns its path. */
function key(type: string, form: string, passphrase: string): string {
  const file = join(folder, `${type}-${form}-${passphrase}`)
  execFileSync('ssh-keygen', ['-q', '-t', type, '-m', form, '-N', passphrase, '-C', '', '-f', file])
  return file
}
const login = (identityFile: string) =>
  loginOf({ name: 'web1', host: '127.0.0.1', port: 22, user: 'root', hostKey: '', identityFile })
async function refusal(file: string) {
  const error: unknown = await login(file).catch((thrown: unknown) => thrown)
  return error instanceof HostError ? error : undefined
}

test.each(['ecdsa', 'rsa'])(
  '%s: a PKCS8 key without a passphrase: the line to type converts it',
  async (type) => {
    const file = key(type, 'PKCS8', '')
    const error = await refusal(file)
    expect(error?.why).toBe(`the private key ${file} has the form PKCS8, which cannot be read here`)
    const line = error?.hint?.split('in place: ')[1] ?? ''
    expect(error?.hint).toContain('convert')
    execFileSync('sh', ['-c', line], { stdio: 'ignore' })
    expect(await login(file)).toMatchObject({ authHandler: ['publickey'] })
  },
)

test.each(['ecdsa', 'rsa'])('%s: an encrypted PKCS8 key is locked by a passphrase', async (type) => {
  const file = key(type, 'PKCS8', 'secret words')
  expect((await refusal(file))?.why).toBe(`the private key ${file} is locked by a passphrase`)
})

test.each(['ecdsa', 'rsa', 'ed25519'])("%s: OpenSSH's own form is read", async (type) => {
  expect(await login(key(type, 'RFC4716', ''))).toMatchObject({ authHandler: ['publickey'] })
})
