/** The package schema, as the engine gets it. `test/e2e/package-schema.test.ts` gives it to Pulumi's CLI. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { startPlugin, type StartedPlugin } from '../server/plugin.ts'

const plugins = join(import.meta.dirname, '../../../plugins')
const property = z.object({ description: z.string().optional() })
const properties = z.record(z.string(), property)
const resource = z.object({
  description: z.string().min(1),
  inputProperties: properties,
  requiredInputs: z.array(z.string()),
  properties,
  required: z.array(z.string()),
})
const schema = z.object({
  version: z.string(),
  types: z.record(z.string(), z.object({ type: z.string(), properties: properties.optional() })),
  resources: z.record(z.string(), resource),
})

let plugin: StartedPlugin
let text: string
let read: z.infer<typeof schema>
beforeAll(async () => {
  plugin = await startPlugin(join(plugins, 'overlab/index.ts'))
  text = await plugin.schema()
  read = schema.parse(JSON.parse(text))
})
afterAll(() => plugin.stop())

test('it has every resource that the provider serves, and its version', async () => {
  expect(read.version).toBe(await plugin.version())
  expect(Object.keys(read.resources).map((token) => token.replace('overlab:index:', ''))).toEqual([
    'Underlay',
    'Machine',
    'SshHost',
    'DataPlane',
    'Kernels',
    'SharedFile',
    'Service',
    'EtcdKeys',
  ])
  // A type that is not served is refused by name; each of these is checked, and lacks its inputs.
  for (const token of Object.keys(read.resources)) {
    const { failures } = await plugin.check(token, {})
    expect(Object.keys(failures).sort(), token).toEqual([...read.resources[token]!.requiredInputs].sort())
  }
})

test('every property says what it is, and every reference leads somewhere', () => {
  const all = [
    ...Object.values(read.resources).flatMap((one) => [one.inputProperties, one.properties]),
    ...Object.values(read.types).flatMap((one) => (one.properties ? [one.properties] : [])),
  ].flatMap((one) => Object.entries(one))
  expect(all.filter(([, { description }]) => !description).map(([name]) => name)).toEqual([])
  const references = [...text.matchAll(/"#\/types\/([^"]+)"/g)].map(([, token]) => token!)
  expect(references.length).toBeGreaterThan(0)
  expect(references.filter((token) => !(token in read.types))).toEqual([])
})

test('a machine: what it takes, what it gives, what replaces it', () => {
  const machine = z
    .object({ resources: z.object({ 'overlab:index:Machine': z.record(z.string(), z.unknown()) }) })
    .parse(JSON.parse(text)).resources['overlab:index:Machine']
  expect(machine).toMatchObject({
    inputProperties: {
      address: { type: 'string', willReplaceOnChanges: true },
      machine: { $ref: '#/types/overlab:index:MachineKind', default: 'namespace' },
      mtu: { type: 'integer' },
      qemu: { $ref: '#/types/overlab:index:QemuSettings' },
    },
    requiredInputs: ['lab', 'hostname', 'address', 'underlay', 'mtu', 'mac'],
    properties: { hostKey: { type: 'string' }, boot: { type: 'string' } },
    required: expect.arrayContaining(['machine', 'running', 'hostKey']) as unknown,
  })
})

test('what may be null is not required', () => {
  expect(read.resources['overlab:index:SshHost']!.required).toContain('nic')
  expect(read.resources['overlab:index:SshHost']!.required).not.toContain('target')
})
