/** The program says what its stack replaces in the inventory, for those who run plain `pulumi up`. */
import { rmSync, writeFileSync } from 'node:fs'
import * as pulumi from '@pulumi/pulumi'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { fromRepository } from '../../tools/paths.ts'

const stack = `unit-settings-${process.pid}`
const settings = fromRepository('stacks', `Pulumi.${stack}.yaml`)
const config = { 'overlab:inventory': 'inventory/example-groups.yaml', 'overlab:lab': 'other' }

beforeAll(async () => {
  writeFileSync(
    settings,
    'config:\n  overlab:inventory: inventory/example-groups.yaml\n  overlab:lab: other\n',
  )
  await pulumi.runtime.setMocks(
    { newResource: () => ({ id: '', state: {} }), call: () => ({}) },
    'overlab',
    stack,
    true,
  )
  pulumi.runtime.setAllConfig(config)
})
afterAll(() => rmSync(settings, { force: true }))

it('with both places, once', async () => {
  const info = vi.spyOn(pulumi.log, 'info').mockResolvedValue(undefined)
  const { stackInventory } = await import('../../stacks/settings.ts')
  expect(stackInventory().lab.name).toBe('other')
  expect(info.mock.calls).toEqual([
    [
      expect.stringMatching(
        new RegExp(
          `^note: stacks/Pulumi\\.${stack}\\.yaml:3 overlab:lab: "other" replaces "\\S+" \\(inventory/example-groups\\.yaml:\\d+:\\d+ lab\\.name\\)$`,
        ),
      ),
    ],
  ])
})
