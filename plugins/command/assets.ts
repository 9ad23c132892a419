import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Value, Values } from '../server/index.ts'
import { archiveSignature, assetSignature, signatureKey } from '../server/values.ts'
import { globToRegExp } from './glob.ts'

/**
 * The files below `dir` (no folders) that the patterns choose, by their path relative to it, each as an asset.
 * Patterns count in order; one that begins with `!` takes matching files out again.
 */
export async function findAssets(dir: string, patterns: readonly string[]): Promise<Values> {
  const rules = patterns.map((pattern) => {
    const excludes = pattern.startsWith('!')
    return { excludes, expression: globToRegExp(excludes ? pattern.slice(1) : pattern) }
  })
  const assets: Record<string, Value> = {}
  for (const path of await filesBelow(dir)) {
    const last = rules.findLast((rule) => rule.expression.test(path))
    if (last === undefined || last.excludes) continue
    const file = join(dir, path)
    assets[path] = { [signatureKey]: assetSignature, hash: await hashOfFile(file), path: file }
  }
  return assets
}

/** The same files as one archive. */
export function archiveOf(assets: Values): Value {
  const hash = createHash('sha256')
  for (const [path, asset] of Object.entries(assets) as [string, { readonly hash: string }][]) {
    hash.update(`${path}\0${asset.hash}\n`)
  }
  return { [signatureKey]: archiveSignature, hash: hash.digest('hex'), assets }
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
