import { randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, posix } from 'node:path'
import { equal, isArchive, isAsset, isUnknown, plain } from '../server/index.ts'
import type { CheckFailure, Context, ResourceHandlers, Value, Values } from '../server/index.ts'
import { checkProperties } from './check.ts'
import type { Properties } from './check.ts'
import { triggeredDiff } from './command.ts'
import { parseConnection } from './connection.ts'
import { dial } from './dial.ts'
import { copyFile, openSftp, writeText } from './sftp.ts'
import type { Sftp } from './sftp.ts'

const properties: Properties = {
  connection: { type: 'connection', required: true },
  source: { type: 'source', required: true },
  remotePath: { type: 'string', required: true },
  triggers: { type: 'list' },
}

/** `command:remote:CopyToRemote`: a file, a text or a folder, written to a host by SFTP. */
export const copyToRemote: ResourceHandlers = {
  check(_olds, news) {
    const { inputs, failures } = checkProperties(properties, news)
    return { inputs, failures: [...failures, ...checkSource(plain(news.source ?? null))] }
  },
  diff: (_id, _olds, news, { oldInputs }) => triggeredDiff(oldInputs, news, ['triggers', 'source']),
  async create(news, context) {
    if (!context.preview) await copy(plain(news) as Values, context)
    return { id: randomBytes(4).toString('hex'), outputs: news }
  },
  async update(_id, olds, news, context) {
    const same = equal(news.source, olds.source) && equal(news.remotePath, olds.remotePath)
    if (!context.preview && !same) await copy(plain(news) as Values, context)
    return news
  },
}

function checkSource(source: Value): CheckFailure[] {
  if (isUnknown(source)) return []
  if (isAsset(source) && source.uri) {
    return [{ property: 'asset', reason: 'asset must be a path-based file asset or a text asset' }]
  }
  if (isArchive(source) && !source.path) {
    return [{ property: 'archive', reason: 'archive must be a path to a file or directory' }]
  }
  return []
}

function copy(inputs: Values, context: Context): Promise<void> {
  const { path, text } = inputs.source as Values
  const remotePath = inputs.remotePath as string
  return withSftp(inputs.connection, context, (sftp) =>
    typeof path === 'string' && path !== ''
      ? copyPath(sftp, path, remotePath)
      : copyText(sftp, typeof text === 'string' ? text : '', remotePath),
  )
}

/** Runs a transfer over a connection of its own, which a cancelled operation ends at once. */
async function withSftp(
  connection: Value | undefined,
  context: Context,
  transfer: (sftp: Sftp) => Promise<void>,
): Promise<void> {
  const { client, close } = await dial(parseConnection(connection), context)
  const abort = () => client.destroy()
  context.signal.addEventListener('abort', abort)
  try {
    await transfer(await openSftp(client))
  } catch (error) {
    context.signal.throwIfAborted()
    throw error
  } finally {
    context.signal.removeEventListener('abort', abort)
    close()
  }
}

async function copyText(sftp: Sftp, text: string, to: string): Promise<void> {
  if ((await remoteStat(sftp, to))?.isDirectory()) {
    throw new Error(
      `remote path ${to} is a directory; when using a text asset, remotePath must be a file path`,
    )
  }
  await described(`failed to write text content to remote path ${to}`, writeText(sftp, text, to))
}

/**
 * | source | remote path is a folder | nothing there | a file             |
 * | dir    | remote/dir              | remote/dir    | error              |
 * | dir/   | remote/*                | remote/*      | error              |
 * | file   | remote/file             | remote        | remote, overwritten |
 */
async function copyPath(sftp: Sftp, from: string, to: string): Promise<void> {
  const source = await stat(from)
  const there = await remoteStat(sftp, to)
  if (!source.isDirectory()) {
    await copyOneFile(sftp, from, there?.isDirectory() ? posix.join(to, basename(from)) : to)
    return
  }
  await makeFolder(sftp, to)
  await copyFolder(sftp, from, from.endsWith('/') ? to : posix.join(to, basename(from)))
}

async function copyFolder(sftp: Sftp, from: string, to: string): Promise<void> {
  await makeFolder(sftp, to)
  const entries = await readdir(from, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const [source, target] = [join(from, entry.name), posix.join(to, entry.name)]
    if (entry.isDirectory()) await copyFolder(sftp, source, target)
    else await copyOneFile(sftp, source, target)
  }
}

async function makeFolder(sftp: Sftp, path: string): Promise<void> {
  const there = await remoteStat(sftp, path)
  if (there === undefined) await described(`failed to create remote directory ${path}`, sftp.mkdir(path))
  else if (!there.isDirectory()) throw new Error(`remote path ${path} exists but is not a directory`)
}

function copyOneFile(sftp: Sftp, from: string, to: string): Promise<void> {
  return described(`failed to copy file ${from} to remote path ${to}`, copyFile(sftp, from, to))
}

function remoteStat(sftp: Sftp, path: string) {
  return described(`failed to stat remote path ${path}`, sftp.stat(path))
}

async function described<T>(what: string, action: Promise<T>): Promise<T> {
  try {
    return await action
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error })
  }
}

/** `command:remote:CopyFile`, deprecated: one local file to one remote path, and every change a new copy. */
export const copyFileResource: ResourceHandlers = {
  check: (_olds, news) =>
    checkProperties(
      {
        connection: { type: 'connection', required: true },
        localPath: { type: 'string', required: true },
        remotePath: { type: 'string', required: true },
        triggers: { type: 'list' },
      },
      news,
    ),
  diff: (_id, _olds, news, { oldInputs }) =>
    triggeredDiff(oldInputs, news, ['connection', 'localPath', 'remotePath', 'triggers']),
  async create(news, context) {
    if (!context.preview) {
      const { connection, localPath, remotePath } = plain(news) as Values
      await stat(localPath as string)
      await withSftp(connection, context, (sftp) => copyFile(sftp, localPath as string, remotePath as string))
    }
    return { id: randomBytes(4).toString('hex'), outputs: news }
  },
}
