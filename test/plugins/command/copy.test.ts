import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { archiveSignature, assetSignature, signatureKey, unknown } from '../../../plugins/server/values.ts'
import type { Values } from '../../../plugins/server/values.ts'
import { failure, startPlugin } from '../server/plugin.ts'
import type { StartedPlugin } from '../server/plugin.ts'
import { startSshd } from './sshd.ts'
import type { Sshd } from './sshd.ts'

const type = 'command:remote:CopyToRemote'
const folder = mkdtempSync(join(tmpdir(), 'overlab-copy-'))
let plugin: StartedPlugin
let sshd: Sshd
let without: Sshd
let connection: Values
let from: string
let to: string
let serial = 0

beforeAll(async () => {
  ;[plugin, sshd, without] = await Promise.all([
    startPlugin(join(import.meta.dirname, '../../../plugins/command/index.ts'), { SSH_AUTH_SOCK: '' }),
    startSshd('Subsystem sftp internal-sftp'),
    startSshd(),
  ])
  connection = at(sshd)
})
afterAll(async () => {
  await Promise.all([plugin.stop(), sshd.stop(), without.stop()])
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  const dir = join(folder, String(serial++))
  ;[from, to] = [join(dir, 'src'), join(dir, 'dest')]
  mkdirSync(join(from, 'one', 'two'), { recursive: true })
  mkdirSync(to)
  writeFileSync(join(from, 'file1'), 'first')
  writeFileSync(join(from, 'one', 'file2'), '')
  writeFileSync(join(from, 'one', 'two', 'file3'), 'third')
})

const at = ({ port, privateKey, hostKey }: Sshd) => ({
  host: '127.0.0.1',
  port,
  privateKey,
  hostKey,
  dialErrorLimit: 0,
})
const file = (path: string, hash = 'h') => ({ [signatureKey]: assetSignature, path, hash })
const text = (content: string) => ({ [signatureKey]: assetSignature, text: content, hash: 'h' })
const archive = (path: string, hash = 'h') => ({ [signatureKey]: archiveSignature, path, hash })
const copy = (source: Values, remotePath: string) => plugin.create(type, { connection, source, remotePath })
const tree = (dir: string) =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(dir, path)).isFile())
    .sort()

describe('a file', () => {
  test('to a new path, over a file, and into a folder', async () => {
    const { id, outputs } = await copy(file(join(from, 'file1')), join(to, 'new'))
    expect(id).toMatch(/^[0-9a-f]{8}$/)
    expect(outputs).toEqual({ connection, source: file(join(from, 'file1')), remotePath: join(to, 'new') })
    expect(readFileSync(join(to, 'new'), 'utf8')).toBe('first')
    writeFileSync(join(from, 'file1'), '1')
    await copy(file(join(from, 'file1')), join(to, 'new'))
    expect(readFileSync(join(to, 'new'), 'utf8')).toBe('1')
    await copy(file(join(from, 'file1')), to)
    expect(tree(to)).toEqual(['file1', 'new'])
  })

  test('of 20 MB comes over whole', async () => {
    const content = Buffer.alloc(20_000_003)
    for (let index = 0; index < content.length; index += 4096) content.writeUInt16LE(index % 65_521, index)
    writeFileSync(join(from, 'large'), content)
    await copy(file(join(from, 'large')), join(to, 'large'))
    expect(readFileSync(join(to, 'large')).equals(content)).toBe(true)
  })

  test('that does not exist, or to a folder that does not', async () => {
    expect(await failure(copy(file('/nowhere/file'), to))).toMatch(/ENOENT.*\/nowhere\/file/)
    expect(await failure(copy(file(join(from, 'file1')), join(to, 'a/b')))).toBe(
      `failed to copy file ${join(from, 'file1')} to remote path ${join(to, 'a/b')}: file does not exist`,
    )
  })
})

describe('a text', () => {
  test('becomes a file', async () => {
    await copy(text('héllo\n'), join(to, 'text'))
    expect(readFileSync(join(to, 'text'), 'utf8')).toBe('héllo\n')
    await copy({ [signatureKey]: assetSignature, hash: 'h' }, join(to, 'text'))
    expect(readFileSync(join(to, 'text'), 'utf8')).toBe('')
  })

  test('cannot become a folder', async () => {
    expect(await failure(copy(text('a'), to))).toBe(
      `remote path ${to} is a directory; when using a text asset, remotePath must be a file path`,
    )
  })
})

describe('a folder', () => {
  const all = ['file1', 'one/file2', 'one/two/file3']

  test('into a folder, by its name; again, over what is there', async () => {
    await copy(archive(from), to)
    expect(tree(join(to, 'src'))).toEqual(all)
    writeFileSync(join(from, 'file1'), 'changed')
    await copy(archive(from), to)
    expect(readFileSync(join(to, 'src', 'file1'), 'utf8')).toBe('changed')
  })

  test('with a slash at its end, its content', async () => {
    await copy(archive(`${from}/`), to)
    expect(tree(to)).toEqual(all)
  })

  test('to a path that does not exist yet', async () => {
    await copy(archive(from), join(to, 'new'))
    expect(tree(join(to, 'new', 'src'))).toEqual(all)
    expect(await failure(copy(archive(from), join(to, 'a/b')))).toBe(
      `failed to create remote directory ${join(to, 'a/b')}: file does not exist`,
    )
  })

  test('never over a file', async () => {
    writeFileSync(join(to, 'src'), '')
    expect(await failure(copy(archive(from), to))).toBe(
      `remote path ${join(to, 'src')} exists but is not a directory`,
    )
  })
})

test('a host without SFTP', async () => {
  const inputs = { connection: at(without), source: text('a'), remotePath: join(to, 'a') }
  expect(await failure(plugin.create(type, inputs))).toBe('ssh: subsystem request failed')
})

test('a host that is down', async () => {
  const inputs = { connection: { ...at(sshd), port: 1 }, source: text('a'), remotePath: '/a' }
  expect(await failure(plugin.create(type, inputs))).toBe(
    'after 0 failed attempts: dial tcp 127.0.0.1:1: connect: connection refused',
  )
})

test('preview and an update that changes only the connection copy nothing', async () => {
  const nowhere = { host: '192.0.2.1' }
  const inputs = { connection: nowhere, source: text('a'), remotePath: '/a' }
  expect((await plugin.create(type, inputs, { preview: true })).outputs).toEqual(inputs)
  expect(await plugin.update(type, 'id', { ...inputs, connection }, inputs)).toEqual(inputs)
})

test('an update of the path copies', async () => {
  const inputs = { connection, source: text('a'), remotePath: join(to, 'b') }
  await plugin.update(type, 'id', { ...inputs, remotePath: join(to, 'a') }, inputs)
  expect(readFileSync(join(to, 'b'), 'utf8')).toBe('a')
})

test('diff: source and triggers replace, the path is updated', async () => {
  const olds = { connection, source: archive('', '1'), remotePath: '/a', triggers: [1] }
  expect((await plugin.diff(type, olds, { ...olds, source: archive('', '1') })).changes).toBe('none')
  expect((await plugin.diff(type, olds, { ...olds, remotePath: '/b' })).detailed).toEqual({
    remotePath: 'update',
  })
  expect(
    (await plugin.diff(type, olds, { ...olds, source: archive('', '2'), triggers: [2] })).detailed,
  ).toEqual({
    source: 'update-replace',
    'triggers[0]': 'update-replace',
  })
})

test('check: the source must be a path or a text', async () => {
  const check = async (source: Values | string) =>
    (await plugin.check(type, { connection: { host: 'a' }, remotePath: '/a', source })).failures
  expect(await check(file('/a'))).toEqual({})
  expect(await check(text('a'))).toEqual({})
  expect(await check(archive('/a'))).toEqual({})
  expect(await check(unknown)).toEqual({})
  expect(await check('a')).toEqual({ source: 'must be an asset or an archive; got "a"' })
  expect(await check({ [signatureKey]: assetSignature, uri: 'http://a' })).toEqual({
    asset: 'asset must be a path-based file asset or a text asset',
  })
  expect(await check({ [signatureKey]: archiveSignature, assets: {} })).toEqual({
    archive: 'archive must be a path to a file or directory',
  })
})

test('the deprecated CopyFile copies a file, and each change is a new copy', async () => {
  const old = 'command:remote:CopyFile'
  const inputs = { connection, localPath: join(from, 'file1'), remotePath: join(to, 'old') }
  expect((await plugin.create(old, inputs)).outputs).toEqual(inputs)
  expect(readFileSync(join(to, 'old'), 'utf8')).toBe('first')
  expect((await plugin.diff(old, inputs, { ...inputs, remotePath: '/b' })).detailed).toEqual({
    remotePath: 'update-replace',
  })
  await plugin.delete(old, 'id', inputs)
})
