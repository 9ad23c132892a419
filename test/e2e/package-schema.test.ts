/** Pulumi's own CLI reads the provider's schema from its folder. No lab is needed. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { pulumiBinary, pulumiEnvironment } from '../../tools/environment.ts'

const repository = join(import.meta.dirname, '../..')

test.each(['./plugins/overlab', './plugins/overlab/pulumi-resource-overlab'])(
  'pulumi package get-schema %s',
  async (place) => {
    const { stdout } = await promisify(execFile)(pulumiBinary(), ['package', 'get-schema', place], {
      cwd: repository,
      env: pulumiEnvironment(),
      maxBuffer: 10_000_000,
    })
    const { name, resources } = JSON.parse(stdout)
    expect(name).toBe('overlab')
    expect(Object.keys(resources)).toContain('overlab:index:DataPlane')
    expect(resources['overlab:index:Underlay'].inputProperties.cidr.type).toBe('string')
  },
)
