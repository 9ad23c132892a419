import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { placeName } from '../../../experiments/variants/place.ts'
import { diagnosticsOf, whyOf } from '../../../experiments/variants/pulumi.ts'
import { variants } from '../../../experiments/variants/variant.ts'
import { name, type Name } from '../../../inventory/values.ts'

test('a name for every lab, variant and run; no two the same', () => {
  const labs = fc.stringMatching(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/)
  fc.assert(
    fc.property(labs, (lab) => {
      const all = variants.flatMap((variant) =>
        [1, 2, 20].map((n) => placeName(lab as Name, variant.name, n)),
      )
      for (const one of all) expect(name.safeParse(one).success).toBe(true)
      expect(new Set(all).size).toBe(all.length)
    }),
  )
})

test("Pulumi's diagnostics, without its list of resources", () => {
  const printed = `Updating (lab-x-vxlan):
 +  overlab:index:Machine lab-x-vxlan-node1 creating
Diagnostics:
  overlab:index:Machine (lab-x-vxlan-node1):
    error: node1: boot: the machine stopped right after its start

  pulumi:pulumi:Stack (overlab-lab-x-vxlan):
    error: update failed

Resources:
    + 2 created
`
  expect(diagnosticsOf(printed)).toBe(
    [
      '  overlab:index:Machine (lab-x-vxlan-node1):',
      '    error: node1: boot: the machine stopped right after its start',
      '  pulumi:pulumi:Stack (overlab-lab-x-vxlan):',
    ].join('\n'),
  )
  expect(whyOf(printed)).toBe('failed: node1: boot: the machine stopped right after its start')
  expect(diagnosticsOf('error: no such stack\n')).toBe('error: no such stack')
  expect(whyOf('error: no such stack\n')).toBe('failed: no such stack')
  expect(whyOf('error: update failed\n')).toBe('failed')
})
