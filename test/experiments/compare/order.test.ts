import { expect, test } from 'vitest'
import { orderOf } from '../../../experiments/compare/compare.ts'
import { variants } from '../../../experiments/variants/variant.ts'

const names = (round: number, of = variants) => orderOf(of, round).map(({ name }) => name)

test("a backend's variants are neighbours, and take turns in going first; so do the backends", () => {
  expect(names(1)).toEqual(['vxlan', 'vxlan-flanneld', 'host-gw', 'host-gw-flanneld', 'udp', 'udp-flanneld'])
  expect(names(2)).toEqual(['host-gw-flanneld', 'host-gw', 'udp-flanneld', 'udp', 'vxlan-flanneld', 'vxlan'])
  expect(names(3)).toEqual(['udp', 'udp-flanneld', 'vxlan', 'vxlan-flanneld', 'host-gw', 'host-gw-flanneld'])
})

test('each once, whatever was chosen', () => {
  for (const chosen of [variants.slice(0, 1), variants.slice(2, 5), variants])
    for (let round = 1; round <= 7; round++)
      expect(names(round, chosen).sort()).toEqual(chosen.map(({ name }) => name).sort())
})
