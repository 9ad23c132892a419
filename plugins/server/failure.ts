import { Metadata, status } from '@grpc/grpc-js'
import type { ServiceError } from '@grpc/grpc-js'
import any from 'google-protobuf/google/protobuf/any_pb.js'
import providerProto from '@pulumi/pulumi/proto/provider_pb.js'
import statusProto from '@pulumi/pulumi/proto/status_pb.js'
import { harmlessLines, mostOfOurs } from '../../inventory/harmless.ts'
import { toStruct } from './values.ts'
import type { Values } from './values.ts'

/**
 * An operation that failed half-way: the resource exists, `outputs` is the state that was reached, and the engine
 * keeps it, so that the next `pulumi up` finishes (or `destroy` removes) what is there.
 */
export class PartialFailure extends Error {
  readonly id: string
  readonly outputs: Values
  /** The inputs to remember; default: those asked for. */
  readonly inputs: Values | undefined
  readonly reasons: readonly string[]

  constructor(
    failure: {
      readonly id: string
      readonly outputs: Values
      readonly inputs?: Values
      readonly reasons: readonly string[]
    },
    options?: ErrorOptions,
  ) {
    const reasons = failure.reasons.map((reason) => harmlessLines(reason, mostOfOurs))
    super(reasons.join('\n'), options)
    this.name = 'PartialFailure'
    this.id = failure.id
    this.outputs = failure.outputs
    this.inputs = failure.inputs
    this.reasons = reasons
  }
}

/** A call that the plugin does not have. */
export class Unimplemented extends Error {}

/** What gRPC sends for a thrown value: its message made harmless, never its stack. */
export function toServiceError(thrown: unknown): Partial<ServiceError> {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const details = harmlessLines(message, mostOfOurs)
  if (thrown instanceof Unimplemented) return { code: status.UNIMPLEMENTED, details }
  if (thrown instanceof PartialFailure) {
    return { code: status.UNKNOWN, details, metadata: initFailed(thrown) }
  }
  return { code: status.UNKNOWN, details }
}

/** Go's gRPC reads details from the trailer `grpc-status-details-bin`, a google.rpc.Status. */
function initFailed(failure: PartialFailure): Metadata {
  const detail = new providerProto.ErrorResourceInitFailed()
  detail.setId(failure.id)
  detail.setProperties(toStruct(failure.outputs))
  detail.setReasonsList([...failure.reasons])
  if (failure.inputs !== undefined) detail.setInputs(toStruct(failure.inputs))
  const packed = new any.Any()
  packed.pack(detail.serializeBinary(), 'pulumirpc.ErrorResourceInitFailed')
  const rpcStatus = new statusProto.Status()
  rpcStatus.setCode(status.UNKNOWN)
  rpcStatus.setMessage(failure.message)
  rpcStatus.addDetails(packed)
  const metadata = new Metadata()
  metadata.add('grpc-status-details-bin', Buffer.from(rpcStatus.serializeBinary()))
  return metadata
}
