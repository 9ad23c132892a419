/** A resource whose inputs are a flat record with a zod schema, and whose outputs are those and what was learnt. */
import type { z } from 'zod'
import { diffValues } from '../server/diff.ts'
import type { Context, ResourceHandlers } from '../server/handlers.ts'
import type { Values } from '../server/values.ts'
import { checkBy } from './check.ts'

/** What `read` says of an object that is no more. */
export const gone = undefined

/** What a resource takes and gives: its checks, and its part of the package's schema (schema.ts), both come from here. */
export interface Form<Inputs, Learnt> {
  /** One sentence or two for who writes a program. Every input and output has a `describe` of its own. */
  readonly description: string
  readonly inputs: z.ZodType<Inputs>
  /** What it learns; its outputs are these and the inputs. */
  readonly outputs: z.ZodType<Learnt>
  /** Inputs that cannot change on a living object, by their paths: the old one is deleted, then the new one created. */
  readonly replaceOn: readonly ((keyof Inputs & string) | `${keyof Inputs & string}.${string}`)[]
}

export interface Life<Inputs, Learnt> {
  /** Converges: what an interrupted attempt left is taken over. */
  create(inputs: Inputs, context: Context): Promise<{ id: string; learnt: Learnt }>
  /** `inputs`: those that are not as they were asked for; the next update sets them right. */
  read(
    inputs: Inputs,
    context: Context,
    state: Values,
  ): Promise<{ inputs?: Partial<Inputs>; learnt: Learnt } | typeof gone>
  /** Before `update` is run: says what it will mean, and what of what was learnt is `unknown` until then. */
  foresee?(inputs: Inputs, context: Context, olds: Inputs): object
  /** `state`: all outputs so far. */
  update(inputs: Inputs, context: Context, olds: Inputs, state: Values): Promise<{ learnt: Learnt }>
  delete(inputs: Inputs, context: Context): Promise<void>
}

export function resource<Inputs extends object, Learnt extends object>(
  form: Form<Inputs, Learnt>,
  life: Life<Inputs, Learnt>,
): Required<ResourceHandlers> {
  /** State was checked when it was made; parsing it again only takes what was learnt off. */
  const inputsOf = (state: Values): Inputs =>
    form.inputs.parse(
      Object.fromEntries(inputNames(form.inputs).flatMap((key) => (key in state ? [[key, state[key]]] : []))),
    )
  return {
    check: (_olds, news) => checkBy(form.inputs, news),
    diff(_id, _olds, news, { oldInputs }) {
      const changes = diffValues(oldInputs, news).map((change) =>
        form.replaceOn.some((key) => key === change.path) ? { ...change, replace: true } : change,
      )
      return { changes, deleteBeforeReplace: true }
    },
    async create(news, context) {
      if (context.preview) return { id: '', outputs: news }
      const { id, learnt } = await life.create(inputsOf(news), context)
      return { id, outputs: { ...news, ...learnt } }
    },
    async read(_id, state, inputs, context) {
      const found = await life.read(inputsOf(state), context, state)
      if (!found) return gone
      const live = { ...inputs, ...(found.inputs as Values | undefined) }
      return { outputs: { ...live, ...found.learnt }, inputs: live }
    },
    async update(_id, olds, news, context) {
      // What was learnt of an object stays: it is the same object.
      if (context.preview)
        return { ...olds, ...news, ...life.foresee?.(inputsOf(news), context, inputsOf(olds)) }
      return { ...news, ...(await life.update(inputsOf(news), context, inputsOf(olds), olds)).learnt }
    },
    async delete(_id, olds, context) {
      await life.delete(inputsOf(olds), context)
    },
  }
}

function inputNames(schema: z.ZodType): string[] {
  return Object.keys((schema as z.ZodObject).shape)
}
