import { fstatSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from '@grpc/grpc-js'
import providerGrpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import type { Plugin } from './handlers.ts'
import { listen } from './listen.ts'
import { createService } from './service.ts'

/** The engine's own limit of a message, so that no state it can hold is too large for the plugin. */
const maximumMessage = 400 * 1024 * 1024
/** How long work in progress may clean up once the process has to end. The engine kills after 5 s. */
const graceMilliseconds = 3000
const farewellMilliseconds = 100
const parentPollMilliseconds = 1000

/**
 * Runs a plugin's process: serves the engine on a loopback port, whose number is the first line of standard output,
 * and ends when the engine says so (a signal) or is gone (end of standard input, another parent). It answers no other
 * user of this computer.
 */
export async function serve(plugin: Plugin): Promise<void> {
  const service = createService(plugin, engineAddress(process.argv.slice(2)))
  const server = new Server({
    'grpc.max_receive_message_length': maximumMessage,
    'grpc.max_send_message_length': maximumMessage,
  })
  server.addService(providerGrpc.ResourceProviderService, service.implementation)

  let stopping = false
  const stop = async (reason: string) => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(0), graceMilliseconds).unref()
    service.abort(new Error(reason))
    await service.idle()
    await plugin.close?.()
    // Lets the last answers out. The engine need not close its end: it waits for this process to be gone.
    const shutdown = new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
    await Promise.race([shutdown, sleep(farewellMilliseconds)])
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void stop(`the plugin was told to end (${signal})`))
  }
  watchEngine(() => void stop('the Pulumi engine is gone'))

  // An error that escaped its call (a listener's, a socket's) fails the calls in progress, never the process.
  const escaped = (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    service.crash(error instanceof Error ? error : new Error(String(error)))
  }
  process.on('uncaughtException', escaped)
  process.on('unhandledRejection', escaped)

  const port = await listen(server, (why) =>
    process.stderr.write(
      `the ${plugin.name} plugin refused a connection: ${why}. It answers only its own user. ` +
        'If you do not know who that is, see docs/security.md\n',
    ),
  )
  process.stdout.write(`${port}\n`)
}

/** The engine calls `plugin [-logtostderr] [-v=N] [-tracing ADDRESS] ENGINE`. */
function engineAddress(args: readonly string[]): string | undefined {
  const last = args.at(-1)
  return last !== undefined && /^[^-].*:\d+$/.test(last) ? last : undefined
}

/** Calls `gone` once the engine has ended, even if it was killed. */
function watchEngine(gone: () => void): void {
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && gone(), parentPollMilliseconds).unref()
  // The engine holds the other end of a pipe; a terminal or /dev/null says nothing about it.
  const stdin = standardInput()
  if (stdin?.isFIFO() || stdin?.isSocket()) {
    process.stdin.on('end', gone).on('error', gone).resume()
  }
}

function standardInput() {
  try {
    return fstatSync(0)
  } catch {
    return undefined // closed
  }
}
