/**
 * ESLint's rule `overlab/no-cast-of-unknown`: what nobody has looked at yet (`unknown`, `any`, as JSON.parse and a YAML
 * parser give it) is parsed by a schema, never cast. A caught error may be cast to a kind of error.
 */
import ts from 'typescript'

/** @type {import('eslint').Rule.RuleModule} */
export const noCastOfUnknown = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      cast: 'parse it by a schema (inventory/json.ts: parseJson, parseAnswer); a cast checks nothing',
    },
  },
  create(context) {
    const { sourceCode } = context
    const services = sourceCode.parserServices
    const isUnseen = (node) =>
      (services.getTypeAtLocation(node).flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0
    /** `(x ?? []) as T` casts x as well. */
    const unseen = (node) =>
      isUnseen(node) || (node.type === 'LogicalExpression' && (unseen(node.left) || unseen(node.right)))
    return {
      TSAsExpression(node) {
        const to = sourceCode.getText(node.typeAnnotation)
        if (to === 'unknown' || to === 'const' || /(Error|ErrnoException)$/.test(to)) return
        if (unseen(node.expression)) context.report({ node, messageId: 'cast' })
      },
    }
  },
}
