import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { credentials, Server, ServerCredentials } from '@grpc/grpc-js'
import type { ServiceError } from '@grpc/grpc-js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import engineGrpc from '@pulumi/pulumi/proto/engine_grpc_pb.js'
import type { LogRequest } from '@pulumi/pulumi/proto/engine_pb.js'
import providerGrpc from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import proto from '@pulumi/pulumi/proto/provider_pb.js'
import type * as types from '@pulumi/pulumi/proto/provider_pb.js'
import statusProto from '@pulumi/pulumi/proto/status_pb.js'
import { fromStruct, toStruct } from '../../../plugins/server/values.ts'
import type { Values } from '../../../plugins/server/values.ts'

export interface Logged {
  severity: 'debug' | 'info' | 'warning' | 'error'
  message: string
  urn: string
  ephemeral: boolean
}

export interface StartedPlugin {
  readonly process: ChildProcess
  /** Where it listens, on 127.0.0.1. */
  readonly port: number
  readonly logs: Logged[]
  check(
    type: string,
    news: Values,
    olds?: Values,
  ): Promise<{ inputs: Values; failures: Record<string, string> }>
  diff(type: string, oldInputs: Values, news: Values, olds?: Values): Promise<DiffAnswer>
  create(type: string, news: Values, options?: CallOptions): Promise<{ id: string; outputs: Values }>
  read(type: string, id: string, state: Values, inputs: Values): Promise<{ id: string; outputs: Values }>
  update(type: string, id: string, olds: Values, news: Values, options?: CallOptions): Promise<Values>
  delete(type: string, id: string, olds: Values): Promise<void>
  invoke(token: string, args: Values): Promise<Values>
  schema(): Promise<string>
  version(): Promise<string>
  cancel(): Promise<void>
  stop(): Promise<void>
}
interface CallOptions {
  preview?: boolean
  timeout?: number
}
export interface DiffAnswer {
  readonly changes: 'unknown' | 'none' | 'some'
  /** Path to `update`, `add`, `delete`, with `-replace` where it replaces. */
  readonly detailed: Record<string, string>
  readonly replaces: string[]
  readonly deleteBeforeReplace: boolean
}

const severities = ['debug', 'info', 'warning', 'error'] as const
const kinds = ['add', 'add-replace', 'delete', 'delete-replace', 'update', 'update-replace']

export function urnOf(type: string): string {
  return `urn:pulumi:stack::project::${type}::name`
}

/** Starts a plugin as the engine does, with an engine that keeps what is logged, and speaks gRPC to it. */
export async function startPlugin(
  file: string,
  env: Record<string, string> = {},
  stderr: 'inherit' | 'pipe' = 'inherit',
): Promise<StartedPlugin> {
  const logs: Logged[] = []
  const engine = new Server()
  engine.addService(engineGrpc.EngineService, {
    log: (
      call: { request: LogRequest },
      done: (error: null, answer: InstanceType<typeof empty.Empty>) => void,
    ) => {
      logs.push({
        severity: severities[call.request.getSeverity()] ?? 'debug',
        message: call.request.getMessage(),
        urn: call.request.getUrn(),
        ephemeral: call.request.getEphemeral(),
      })
      done(null, new empty.Empty())
    },
  })
  const enginePort = await new Promise<number>((resolve, reject) =>
    engine.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  )
  const child = spawn(process.execPath, [file, `127.0.0.1:${enginePort}`], {
    stdio: ['pipe', 'pipe', stderr],
    env: { ...process.env, ...env },
  })
  if (child.stdout === null) throw new Error('the plugin has no standard output')
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(String(line).trim())
  const client = new providerGrpc.ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  })
  const call = <Answer>(method: string, request: unknown) =>
    new Promise<Answer>((resolve, reject) => {
      const methods = client as unknown as Record<string, (request: unknown, done: unknown) => void>
      methods[method]?.(request, (error: ServiceError | null, answer: Answer) =>
        error ? reject(error) : resolve(answer),
      )
    })
  const about = <
    R extends {
      setUrn(urn: string): unknown
      setType(type: string): unknown
      setName(name: string): unknown
    },
  >(
    request: R,
    type: string,
  ): R => {
    request.setUrn(urnOf(type))
    request.setType(type)
    request.setName('name')
    return request
  }

  return {
    process: child,
    port,
    logs,
    async check(type, news, olds = {}) {
      const request = about(new proto.CheckRequest(), type)
      request.setNews(toStruct(news))
      request.setOlds(toStruct(olds))
      const answer = await call<types.CheckResponse>('check', request)
      const failures = answer.getFailuresList().map((failure) => [failure.getProperty(), failure.getReason()])
      return { inputs: fromStruct(answer.getInputs()), failures: Object.fromEntries(failures) }
    },
    async diff(type, oldInputs, news, olds = oldInputs) {
      const request = about(new proto.DiffRequest(), type)
      request.setId('id')
      request.setOldInputs(toStruct(oldInputs))
      request.setOlds(toStruct(olds))
      request.setNews(toStruct(news))
      const answer = await call<types.DiffResponse>('diff', request)
      const detailed: Record<string, string> = {}
      answer.getDetaileddiffMap().forEach((value, path) => (detailed[path] = kinds[value.getKind()] ?? '?'))
      return {
        changes: (['unknown', 'none', 'some'] as const)[answer.getChanges()],
        detailed,
        replaces: answer.getReplacesList(),
        deleteBeforeReplace: answer.getDeletebeforereplace(),
      }
    },
    async create(type, news, { preview = false, timeout = 0 } = {}) {
      const request = about(new proto.CreateRequest(), type)
      request.setProperties(toStruct(news))
      request.setPreview(preview)
      request.setTimeout(timeout)
      const answer = await call<types.CreateResponse>('create', request)
      return { id: answer.getId(), outputs: fromStruct(answer.getProperties()) }
    },
    async read(type, id, state, inputs) {
      const request = about(new proto.ReadRequest(), type)
      request.setId(id)
      request.setProperties(toStruct(state))
      request.setInputs(toStruct(inputs))
      const answer = await call<types.ReadResponse>('read', request)
      return { id: answer.getId(), outputs: fromStruct(answer.getProperties()) }
    },
    async update(type, id, olds, news, { preview = false, timeout = 0 } = {}) {
      const request = about(new proto.UpdateRequest(), type)
      request.setId(id)
      request.setOlds(toStruct(olds))
      request.setNews(toStruct(news))
      request.setPreview(preview)
      request.setTimeout(timeout)
      return fromStruct((await call<types.UpdateResponse>('update', request)).getProperties())
    },
    async delete(type, id, olds) {
      const request = about(new proto.DeleteRequest(), type)
      request.setId(id)
      request.setProperties(toStruct(olds))
      await call('delete', request)
    },
    async invoke(token, args) {
      const request = new proto.InvokeRequest()
      request.setTok(token)
      request.setArgs(toStruct(args))
      return fromStruct((await call<types.InvokeResponse>('invoke', request)).getReturn())
    },
    async schema() {
      return (await call<types.GetSchemaResponse>('getSchema', new proto.GetSchemaRequest())).getSchema()
    },
    async version() {
      return (await call<{ getVersion(): string }>('getPluginInfo', new empty.Empty())).getVersion()
    },
    async cancel() {
      await call('cancel', new empty.Empty())
    },
    async stop() {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGINT')
      await ended
      client.close()
      engine.forceShutdown()
    },
  }
}

/** The state that a failed call says was reached (ErrorResourceInitFailed). */
export function reached(error: unknown): { id: string; reasons: string[]; outputs: Values } | undefined {
  const [packed] = (error as ServiceError).metadata.get('grpc-status-details-bin')
  if (packed === undefined) return undefined
  const status = statusProto.Status.deserializeBinary(packed as Buffer)
  const detail = proto.ErrorResourceInitFailed.deserializeBinary(
    status.getDetailsList()[0]?.getValue_asU8() as Uint8Array,
  )
  return { id: detail.getId(), reasons: detail.getReasonsList(), outputs: fromStruct(detail.getProperties()) }
}

/** The message of a failed call. */
export async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    return (error as ServiceError).details
  }
  throw new Error('the call did not fail')
}
