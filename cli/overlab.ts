/** The overlab command: from the process to `main` and back. The launcher `overlab` starts it by the project's own Node. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { cacheFolder } from '../tools/paths.ts'

// What Node made of the TypeScript and of the libraries is kept: a third of the start-up time. Where it can not be
// kept, Node does without.
enableCompileCache(join(cacheFolder(), 'node'))
const { main } = await import('./main.ts')

// `overlab show routes | head -1`: the reader has what it wanted. 141 is what a shell says of a death by SIGPIPE.
let readerLeft = false
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  readerLeft = true
  process.exitCode = 141
})
const status = await main(process.argv.slice(2))
process.exitCode = readerLeft ? 141 : status
