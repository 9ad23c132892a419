#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import { serve } from '../server/index.ts'
import { commandResource } from './command.ts'
import { copyFileResource, copyToRemote } from './copy.ts'
import { localCommand, localRun } from './local-command.ts'
import { remoteCommand } from './remote-command.ts'

// The command plugin, for networks that cannot download Pulumi's own.
await serve({
  name: 'command',
  version: '1.2.1',
  acceptSecrets: true,
  schema: () => readFile(new URL('schema.json', import.meta.url), 'utf8'),
  resources: {
    'command:local:Command': commandResource(localCommand),
    'command:remote:Command': commandResource(remoteCommand),
    'command:remote:CopyToRemote': copyToRemote,
    'command:remote:CopyFile': copyFileResource,
  },
  functions: { 'command:local:run': localRun },
})
