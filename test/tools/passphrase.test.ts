import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isOpen, makePrivate } from '../../tools/own-folder.ts'
import { pulumiEnvironment } from '../../tools/environment.ts'
import {
  backendUrl,
  localBackend,
  ownSecrets,
  passphraseFile,
  planPassphrase,
} from '../../tools/passphrase.ts'
import { temporaryFolder } from './temporary.ts'

async function setUp(env: NodeJS.ProcessEnv, folder: string): Promise<void> {
  for (const task of planPassphrase(env, folder)?.tasks ?? []) await task.run(() => undefined)
}

test('made once, random, for its owner only', async () => {
  const [one, other] = [temporaryFolder(), temporaryFolder()]
  await setUp({}, one)
  await setUp({}, other)
  const text = readFileSync(passphraseFile(one), 'utf8')
  expect(text).toMatch(/^[\w-]{43}\n$/)
  expect(text).not.toBe(readFileSync(passphraseFile(other), 'utf8'))
  expect(statSync(passphraseFile(one)).mode & 0o777).toBe(0o600)
  expect(statSync(join(one, 'state')).isDirectory()).toBe(true)
  expect(planPassphrase({}, one)).toBeUndefined()
})

test('one that others can read keeps its content and loses their rights', async () => {
  const folder = temporaryFolder()
  writeFileSync(passphraseFile(folder), 'kept\n')
  chmodSync(passphraseFile(folder), 0o644)
  await setUp({}, folder)
  expect(readFileSync(passphraseFile(folder), 'utf8')).toBe('kept\n')
  expect(statSync(passphraseFile(folder)).mode & 0o777).toBe(0o600)
})

test('the folder is closed to others: from the start, and where it was open', async () => {
  const made = join(temporaryFolder(), 'own')
  await setUp({}, made)
  expect(statSync(made).mode & 0o777).toBe(0o700)
  chmodSync(made, 0o755)
  expect(planPassphrase({}, made)?.tasks.map(({ title }) => title)).toEqual(['closing own to other users'])
  await setUp({}, made)
  expect(statSync(made).mode & 0o777).toBe(0o700)
  expect(planPassphrase({}, made)).toBeUndefined()
})

test('a part of it that is made first makes the folder so too', () => {
  const made = join(temporaryFolder(), 'own')
  makePrivate(made)
  expect(statSync(made).mode & 0o777).toBe(0o700)
  expect(isOpen(join(made, 'none'))).toBe(false)
})

describe("what is the user's own is respected", () => {
  test.each([
    [{}, false],
    [{ PULUMI_CONFIG_PASSPHRASE: '' }, true],
    [{ PULUMI_CONFIG_PASSPHRASE_FILE: '/secret' }, true],
    [{ PULUMI_BACKEND_URL: 's3://bucket' }, true],
    [{ PULUMI_BACKEND_URL: localBackend }, false],
  ])('%j: %s', (env, own) => {
    expect(ownSecrets(env)).toBe(own)
    const set = pulumiEnvironment(env)['PULUMI_CONFIG_PASSPHRASE_FILE']
    expect(set).toBe(own ? (env as NodeJS.ProcessEnv)['PULUMI_CONFIG_PASSPHRASE_FILE'] : passphraseFile())
  })

  test('another backend: nothing is made', () => {
    expect(planPassphrase({ PULUMI_BACKEND_URL: 's3://bucket' }, '/nowhere')).toBeUndefined()
  })
})

describe('where the state is', () => {
  test.each([
    ['backend:\n  url: file://./.overlab/state\n', 'file://./.overlab/state'],
    ['name: x\nbackend: {url: "s3://bucket"}\n', 's3://bucket'],
    ['name: x\n', undefined],
  ])('%j', (text, url) => {
    const file = join(temporaryFolder(), 'Pulumi.yaml')
    writeFileSync(file, text)
    expect(backendUrl({}, file)).toBe(url)
    expect(backendUrl({ PULUMI_BACKEND_URL: 'file:///mine' }, file)).toBe('file:///mine')
  })
})

test('the project keeps its state where set-up makes the folder', () => {
  expect(backendUrl({})).toBe(localBackend)
})
