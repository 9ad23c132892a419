/** The resource overlab:index:EtcdKeys: keys of an etcd and their values. Other keys are left alone. */
import { z } from 'zod'
import { HostError } from '../../remote/errors.ts'
import { etcdctl, getAll, parseKeys } from '../../remote/etcdctl.ts'
import type { Pool } from '../../remote/pool.ts'
import { quote } from '../../remote/quote.ts'
import type { Context, ResourceHandlers } from '../server/handlers.ts'
import { type Form, gone, resource } from './resource.ts'
import { target } from './target.ts'

const key = z.string().regex(/^\/[A-Za-z0-9._/-]+$/, 'is not a key such as /coreos.com/network/config')
const value = z
  .string()
  .min(1)
  .refine((text) => !text.includes('\0'), 'holds a zero byte')

const inputs = z
  .strictObject({
    target: target.describe('A host that has etcdctl and reaches the endpoint.'),
    endpoint: z.url({ protocol: /^http$/ }).describe('Where etcd answers, such as http://192.168.77.1:2379.'),
    prefix: key.describe('What all keys begin with, without the slash at its end.'),
    keys: z.record(key, value).describe('Each key and its value; other keys are left alone.'),
  })
  .superRefine((args, context) => {
    for (const name of Object.keys(args.keys))
      if (!name.startsWith(`${args.prefix}/`))
        context.addIssue({
          code: 'custom',
          path: ['keys', name],
          message: `does not begin with ${args.prefix}/`,
        })
  })

type Inputs = z.output<typeof inputs>

export const etcdKeysForm: Form<Inputs, object> = {
  description:
    'Keys of an etcd (v3 API) and their values. A key without a lease stays until it is deleted. Each key is read back.',
  inputs,
  outputs: z.object({}),
  replaceOn: ['endpoint', 'prefix'],
}

type Table = Readonly<Record<string, string>>

export function etcdKeys(pool: Pool): Required<ResourceHandlers> {
  return resource(etcdKeysForm, {
    async create(args, context) {
      await converge(args, {}, context)
      return { id: `${args.endpoint}${args.prefix}`, learnt: {} }
    },
    async read(args, context) {
      try {
        const held = await read(args, context)
        const keys = Object.fromEntries(
          Object.keys(args.keys).flatMap((name) => (name in held ? [[name, held[name]!]] : [])),
        )
        return Object.keys(keys).length > 0 ? { learnt: {}, inputs: { keys } } : gone
      } catch (error) {
        // An etcd that does not answer has been killed, or its host has: what it still holds shows when it runs again.
        if (!(error instanceof HostError)) throw error
        context.log.warning(error.message)
        return gone
      }
    },
    async update(args, context, olds) {
      await converge(args, olds.keys, context)
      return { learnt: {} }
    },
    async delete(args, context) {
      await converge({ ...args, keys: {} }, args.keys, context)
    },
  })

  /** Puts what differs, and deletes what was asked for before and is no more. */
  async function converge(args: Inputs, before: Table, context: Context): Promise<void> {
    const held = await read(args, context)
    const lines = [
      ...Object.entries(args.keys)
        .filter(([name, text]) => held[name] !== text)
        .map(([name, text]) => `etcdctl put -- ${quote(name)} ${quote(text)}`),
      ...Object.keys(before)
        .filter((name) => !(name in args.keys) && name in held)
        .map((name) => `etcdctl del -- ${quote(name)}`),
    ]
    if (lines.length > 0) await ask(args, 'write keys', lines, context)
  }

  async function read(args: Inputs, context: Context): Promise<Table> {
    return parseKeys(await ask(args, 'read keys', [getAll(args.prefix)], context))
  }

  async function ask(
    args: Inputs,
    step: string,
    lines: readonly string[],
    { signal }: Context,
  ): Promise<string> {
    return etcdctl(await pool.session(args.target), args.endpoint, step, lines, { signal })
  }
}
