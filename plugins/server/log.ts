import { credentials } from '@grpc/grpc-js'
import engineGrpc from '@pulumi/pulumi/proto/engine_grpc_pb.js'
import engineProto from '@pulumi/pulumi/proto/engine_pb.js'
import { harmlessLines, mostOfOurs } from '../../inventory/harmless.ts'

export type Severity = 'debug' | 'info' | 'warning' | 'error'

/** Pulumi's log, which prints what it is given: messages are made harmless here. They arrive in the order in which they were given. An `error` makes the whole run fail. */
export interface Log {
  debug(message: string): void
  info(message: string): void
  warning(message: string): void
  error(message: string): void
  /** A line in the resource's status column that the next one replaces; not kept. */
  status(message: string, severity?: Severity): void
}

export interface Engine {
  /** A log whose messages belong to a resource (urn), or to the whole run (empty). */
  log(urn: string): Log
  /** Resolves when all that was logged so far has been taken by the engine. */
  flush(): Promise<void>
  close(): void
}

const severities = {
  debug: engineProto.LogSeverity.DEBUG,
  info: engineProto.LogSeverity.INFO,
  warning: engineProto.LogSeverity.WARNING,
  error: engineProto.LogSeverity.ERROR,
}

/** A message costs the engine 0.3 to 0.7 ms. Where more than this many wait, the next ones travel together. */
const queueLimit = 200
const joinedLength = 16_384

/** The engine's side of the conversation; without an address messages go nowhere. */
export function connectEngine(address: string | undefined): Engine {
  const client = address ? new engineGrpc.EngineClient(address, credentials.createInsecure()) : undefined
  const queue: { urn: string; message: string; severity: Severity; ephemeral: boolean }[] = []
  let sending: Promise<void> | undefined

  const send = async () => {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      const request = new engineProto.LogRequest()
      request.setSeverity(severities[entry.severity])
      request.setMessage(entry.message)
      request.setUrn(entry.urn)
      request.setEphemeral(entry.ephemeral)
      // One at a time keeps the order. An engine that is gone ends the process by other means.
      await new Promise<void>((resolve) => client?.log(request, () => resolve()) ?? resolve())
    }
    sending = undefined
  }
  const put = (urn: string, text: string, severity: Severity, ephemeral: boolean) => {
    if (client === undefined) return
    const message = harmlessLines(text, mostOfOurs)
    const last = queue.at(-1)
    const joins =
      queue.length >= queueLimit &&
      last?.urn === urn &&
      last.severity === severity &&
      last.ephemeral === ephemeral &&
      last.message.length < joinedLength
    if (joins) {
      last.message += '\n' + message
    } else queue.push({ urn, message, severity, ephemeral })
    sending ??= send()
  }

  return {
    log: (urn) => ({
      debug: (message) => put(urn, message, 'debug', false),
      info: (message) => put(urn, message, 'info', false),
      warning: (message) => put(urn, message, 'warning', false),
      error: (message) => put(urn, message, 'error', false),
      status: (message, severity = 'info') => put(urn, message, severity, true),
    }),
    flush: () => sending ?? Promise.resolve(),
    close: () => client?.close(),
  }
}
