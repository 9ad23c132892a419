/** Where flanneld is, once set-up has built it. */
import { join } from 'node:path'
import { cacheFolder } from './paths.ts'
import { flanneldVersion } from './versions.ts'

export function flanneldFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(env), 'flanneld')
}

/** The file's name says the version, so that another version is another file everywhere. */
export function flanneldBinary(env: NodeJS.ProcessEnv = process.env): string {
  return join(flanneldFolder(env), `flanneld-${flanneldVersion}`)
}
