import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import pluginProto from '@pulumi/pulumi/proto/plugin_pb.js'
import type * as pluginTypes from '@pulumi/pulumi/proto/plugin_pb.js'
import proto from '@pulumi/pulumi/proto/provider_pb.js'
import type * as types from '@pulumi/pulumi/proto/provider_pb.js'
import { harmless, harmlessLines, mostOfOurs } from '../../inventory/harmless.ts'
import { diffValues } from './diff.ts'
import type { PropertyChange } from './diff.ts'
import { toServiceError, Unimplemented } from './failure.ts'
import type { CheckFailure, Context, DiffContext, DiffResult, Plugin, ResourceHandlers } from './handlers.ts'
import { connectEngine } from './log.ts'
import type { Engine } from './log.ts'
import { fromStruct, toStruct } from './values.ts'

const kinds = {
  add: [proto.PropertyDiff.Kind.ADD, proto.PropertyDiff.Kind.ADD_REPLACE],
  delete: [proto.PropertyDiff.Kind.DELETE, proto.PropertyDiff.Kind.DELETE_REPLACE],
  update: [proto.PropertyDiff.Kind.UPDATE, proto.PropertyDiff.Kind.UPDATE_REPLACE],
} as const

export interface Service {
  readonly implementation: UntypedServiceImplementation
  /** Aborts the work in progress: its calls fail; later calls run. */
  abort(reason: Error): void
  /** Resolves when no call is in progress. */
  idle(): Promise<void>
  /** Fails every call in progress at once, for an error that belongs to none of them. */
  crash(error: Error): void
}

interface ResourceRequest {
  getUrn(): string
  getType(): string
  getName(): string
}

/** The `ResourceProvider` service of one plugin. `engineAddress` is `host:port`, if it is known at the start. */
export function createService(plugin: Plugin, engineAddress: string | undefined): Service {
  let engine: Engine = connectEngine(engineAddress)
  let work = new AbortController()
  const inProgress = new Set<(error: Error) => void>()
  const whenIdle: (() => void)[] = []
  const attach = (address: string | undefined) => {
    if (!address || address === engineAddress) return
    engine.close()
    engine = connectEngine(address)
    engineAddress = address
  }

  /** Makes a gRPC method of a function: errors become statuses, and the log is sent before the answer. */
  const unary =
    <Request, Response>(run: (request: Request) => Response | Promise<Response>) =>
    (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
      let fail: (error: Error) => void = () => {}
      const crashed = new Promise<never>((_, reject) => (fail = reject))
      inProgress.add(fail)
      const answer = async () => {
        try {
          const response = await Promise.race([Promise.resolve(call.request).then(run), crashed])
          await engine.flush()
          callback(null, response)
        } catch (error) {
          await engine.flush()
          callback(toServiceError(error))
        } finally {
          inProgress.delete(fail)
          if (inProgress.size === 0) whenIdle.splice(0).forEach((resolve) => resolve())
        }
      }
      void answer()
    }

  const handlersOf = (type: string): ResourceHandlers => {
    const handlers = Object.hasOwn(plugin.resources, type) ? plugin.resources[type] : undefined
    if (handlers !== undefined) return handlers
    throw new Error(`${plugin.name} ${plugin.version} has no resource type ${type}`)
  }
  const contextOf = (request: ResourceRequest, preview: boolean, timeout = 0): Context => {
    const urn = request.getUrn()
    return {
      urn,
      type: request.getType() || typeOf(urn),
      name: request.getName() || nameOf(urn),
      preview,
      timeout,
      signal: timeout > 0 ? AbortSignal.any([work.signal, AbortSignal.timeout(timeout * 1000)]) : work.signal,
      log: engine.log(urn),
    }
  }

  const implementation: UntypedServiceImplementation = {
    handshake: unary((request: types.ProviderHandshakeRequest) => {
      attach(request.getEngineAddress())
      const response = new proto.ProviderHandshakeResponse()
      response.setAcceptSecrets(plugin.acceptSecrets ?? false)
      response.setAcceptResources(true)
      response.setAcceptOutputs(false)
      return response
    }),
    attach: unary((request: pluginTypes.PluginAttach) => {
      attach(request.getAddress())
      return new empty.Empty()
    }),
    getPluginInfo: unary(() => {
      const response = new pluginProto.PluginInfo()
      response.setVersion(plugin.version)
      return response
    }),
    getSchema: unary(async (request: types.GetSchemaRequest) => {
      if (request.getVersion() !== 0) throw new Error(`unsupported schema version ${request.getVersion()}`)
      const response = new proto.GetSchemaResponse()
      response.setSchema(
        (await plugin.schema?.()) ?? JSON.stringify({ name: plugin.name, version: plugin.version }),
      )
      return response
    }),
    checkConfig: unary(async (request: types.CheckRequest) => {
      const news = fromStruct(request.getNews())
      const result = await plugin.checkConfig?.(fromStruct(request.getOlds()), news)
      return checkResponse(result?.inputs ?? news, result?.failures)
    }),
    diffConfig: unary((request: types.DiffRequest) =>
      diffResponse({
        changes: diffValues(fromStruct(request.getOldInputs()), fromStruct(request.getNews())),
      }),
    ),
    configure: unary(async (request: types.ConfigureRequest) => {
      await plugin.configure?.(fromStruct(request.getArgs()))
      const response = new proto.ConfigureResponse()
      response.setAcceptsecrets(plugin.acceptSecrets ?? false)
      response.setAcceptresources(true)
      response.setSupportspreview(true)
      return response
    }),

    check: unary(async (request: types.CheckRequest) => {
      const context = contextOf(request, true)
      const news = fromStruct(request.getNews())
      const result = await handlersOf(context.type).check?.(fromStruct(request.getOlds()), news, context)
      return checkResponse(result?.inputs ?? news, result?.failures)
    }),
    diff: unary(async (request: types.DiffRequest) => {
      const oldInputs = fromStruct(request.getOldInputs())
      const news = fromStruct(request.getNews())
      const context: DiffContext = { ...contextOf(request, true), oldInputs }
      const handlers = handlersOf(context.type)
      return diffResponse(
        (await handlers.diff?.(request.getId(), fromStruct(request.getOlds()), news, context)) ?? {
          changes: diffValues(oldInputs, news),
        },
      )
    }),
    create: unary(async (request: types.CreateRequest) => {
      const context = contextOf(request, request.getPreview(), request.getTimeout())
      const result = await handlersOf(context.type).create(fromStruct(request.getProperties()), context)
      const response = new proto.CreateResponse()
      response.setId(result.id)
      response.setProperties(toStruct(result.outputs))
      return response
    }),
    read: unary(async (request: types.ReadRequest) => {
      const context = contextOf(request, false, request.getTimeout())
      const handlers = handlersOf(context.type)
      const [state, inputs] = [fromStruct(request.getProperties()), fromStruct(request.getInputs())]
      const response = new proto.ReadResponse()
      const live = handlers.read
        ? await handlers.read(request.getId(), state, inputs, context)
        : { outputs: state, inputs }
      // No id tells the engine that the object is gone.
      if (live === undefined) return response
      response.setId(live.id ?? request.getId())
      response.setProperties(toStruct(live.outputs))
      response.setInputs(toStruct(live.inputs ?? inputs))
      return response
    }),
    update: unary(async (request: types.UpdateRequest) => {
      const context: DiffContext = {
        ...contextOf(request, request.getPreview(), request.getTimeout()),
        oldInputs: fromStruct(request.getOldInputs()),
      }
      const news = fromStruct(request.getNews())
      const handlers = handlersOf(context.type)
      if (handlers.update === undefined) throw new Error(`${context.type} cannot be updated, only replaced`)
      const response = new proto.UpdateResponse()
      const olds = fromStruct(request.getOlds())
      response.setProperties(toStruct(await handlers.update(request.getId(), olds, news, context)))
      return response
    }),
    delete: unary(async (request: types.DeleteRequest) => {
      const context: DiffContext = {
        ...contextOf(request, false, request.getTimeout()),
        oldInputs: fromStruct(request.getOldInputs()),
      }
      await handlersOf(context.type).delete?.(request.getId(), fromStruct(request.getProperties()), context)
      return new empty.Empty()
    }),
    invoke: unary(async (request: types.InvokeRequest) => {
      const type = request.getTok()
      const functions = plugin.functions ?? {}
      const run = Object.hasOwn(functions, type) ? functions[type] : undefined
      if (run === undefined) throw new Error(`${plugin.name} ${plugin.version} has no function ${type}`)
      const context: Context = {
        type,
        name: '',
        urn: '',
        preview: request.getPreview(),
        timeout: 0,
        signal: work.signal,
        log: engine.log(''),
      }
      const response = new proto.InvokeResponse()
      response.setReturn(toStruct(await run(fromStruct(request.getArgs()), context)))
      return response
    }),

    cancel: unary(() => {
      abort(new Error('cancelled by the user'))
      return new empty.Empty()
    }),
    getMapping: unary(() => new proto.GetMappingResponse()),
    getMappings: unary(() => new proto.GetMappingsResponse()),
    parameterize: unary(() => unimplemented('Parameterize')),
    call: unary(() => unimplemented('Call')),
    construct: unary(() => unimplemented('Construct')),
  }

  /** Every call begins with a fresh signal, so that a cancelled preview does not stop the update after it. */
  const abort = (reason: Error) => {
    const aborted = work
    work = new AbortController()
    aborted.abort(reason)
  }
  const crash = (error: Error) => {
    for (const fail of inProgress) fail(error)
    engine.log('').error(error.message)
  }
  const idle = () =>
    new Promise<void>((resolve) => {
      if (inProgress.size === 0) resolve()
      else whenIdle.push(resolve)
    })
  return { implementation, abort, idle, crash }
}

/** `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME` */
function typeOf(urn: string): string {
  return urn.split('::')[2]?.split('$').at(-1) ?? ''
}

function nameOf(urn: string): string {
  return urn.split('::').slice(3).join('::')
}

function unimplemented(method: string): never {
  throw new Unimplemented(`Not yet implemented: ${method}`)
}

function checkResponse(inputs: object, failures: readonly CheckFailure[] = []) {
  const response = new proto.CheckResponse()
  response.setInputs(toStruct(inputs))
  response.setFailuresList(
    failures.map(({ property, reason }) => {
      const failure = new proto.CheckFailure()
      failure.setProperty(harmless(property))
      failure.setReason(harmlessLines(reason, mostOfOurs))
      return failure
    }),
  )
  return response
}

function diffResponse(result: DiffResult) {
  const { changes } = result
  const response = new proto.DiffResponse()
  const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges
  response.setChanges(changes.length === 0 ? DIFF_NONE : DIFF_SOME)
  response.setHasdetaileddiff(true)
  const detailed = response.getDetaileddiffMap()
  for (const change of changes) {
    const diff = new proto.PropertyDiff()
    diff.setKind(kinds[change.kind][change.replace ? 1 : 0])
    diff.setInputdiff(true)
    detailed.set(change.path, diff)
  }
  response.setDiffsList(topLevel(changes))
  response.setReplacesList(topLevel(changes.filter((change) => change.replace)))
  response.setDeletebeforereplace(result.deleteBeforeReplace ?? false)
  return response
}

function topLevel(changes: readonly PropertyChange[]): string[] {
  return [...new Set(changes.map(({ path }) => path.split(/[.[]/)[0] || path))]
}
