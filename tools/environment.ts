/** The environment in which Pulumi works without a login: for `overlab up` and its kin, and for tests. */
import { delimiter, join } from 'node:path'
import { ownSecrets, passphraseFile } from './passphrase.ts'
import { cacheFolder, fromRepository, pulumiHome } from './paths.ts'
import { pulumiFolder } from './pulumi-cli.ts'

export { pulumiBinary } from './pulumi-cli.ts'

/**
 * Node 24 first in PATH, the language host beside the CLI, and overlab's passphrase where the user has none. Node
 * keeps what it compiled: a Pulumi program loads some 800 files at each start. What the user set stays.
 */
export function pulumiEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const first = [fromRepository('node_modules', '.bin'), pulumiFolder(env)]
  const rest = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder && !first.includes(folder))
  return {
    PULUMI_SKIP_UPDATE_CHECK: '1',
    NODE_COMPILE_CACHE: join(cacheFolder(env), 'node'),
    ...env,
    PATH: [...first, ...rest].join(delimiter),
    PULUMI_HOME: pulumiHome(env),
    ...(ownSecrets(env) ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile() }),
  }
}
