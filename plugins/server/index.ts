export { serve } from './serve.ts'
export { PartialFailure } from './failure.ts'
export { diffValues, equal, propertyPath } from './diff.ts'
export type { DiffKind, PropertyChange } from './diff.ts'
export type {
  CheckFailure,
  CheckResult,
  Context,
  DiffContext,
  DiffResult,
  FunctionHandler,
  Plugin,
  ResourceHandlers,
} from './handlers.ts'
export type { Log, Severity } from './log.ts'
export {
  contains,
  containsSecret,
  containsUnknown,
  isArchive,
  isAsset,
  isObject,
  isSecret,
  isUnknown,
  plain,
  secret,
  unknown,
} from './values.ts'
export type { Value, Values } from './values.ts'
