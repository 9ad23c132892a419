/** The versions of what set-up brings, each in one place. npm packages' versions are in package.json. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseJson } from '../inventory/json.ts'
import { fromRepository } from './paths.ts'

const packageFile = parseJson(
  z.object({ version: z.string(), dependencies: z.object({ pulumi: z.string() }) }),
  readFileSync(fromRepository('package.json'), 'utf8'),
  'package.json',
)

/** Version of Pulumi's CLI: that of the npm launcher, which looks for no other. */
export const pulumiVersion: string = packageFile.dependencies.pulumi

/** overlab's own. */
export const overlabVersion: string = packageFile.version

/** The last release of Pulumi's Go SDK that holds the Node language host as a Go module. */
export const languageHostVersion = '3.68.0'

/** flannel's, whose kernel state and wire the data plane follows. */
export const flanneldVersion = '0.28.10'

/** Version of Pulumi's command plugin; the same as of the npm package `@pulumi/command`. */
export const commandPluginVersion = '1.2.1'
