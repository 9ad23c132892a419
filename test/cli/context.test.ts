/** A verb's lab by its stack; what the stack replaces in the inventory is said. */
import { rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { labContext } from '../../cli/context.ts'
import { fromRepository } from '../../tools/paths.ts'

const stack = `unit-${process.pid}`
const settings = fromRepository('stacks', `Pulumi.${stack}.yaml`)
const inventory = fromRepository('inventory', `unit-${process.pid}.yaml`)
const error = vi.spyOn(process.stderr, 'write')

beforeEach(() => {
  writeFileSync(
    inventory,
    'lab: {name: lab, underlay: 10.9.0.0/24, overlay: {Network: 10.8.0.0/16, Backend: {Type: host-gw}}}\nall: {hosts: {n1: }}\n',
  )
  writeFileSync(settings, `config:\n  overlab:inventory: ${inventory}\n  overlab:backend: vxlan\n`)
  error.mockReset().mockReturnValue(true)
})
afterEach(() => {
  rmSync(settings, { force: true })
  rmSync(inventory, { force: true })
})

const said = () => error.mock.calls.map(([text]) => String(text)).join('')
const note = `overlab: note: stacks/Pulumi.${stack}.yaml:3 overlab:backend: "vxlan" replaces "host-gw" (${inventory}:1:89 lab.overlay.Backend.Type)\n`

it('a value of the file that the stack replaces is said with both places', () => {
  expect(labContext({ stack }).inventory.lab.overlay.Backend.Type).toBe('vxlan')
  expect(said()).toContain(note)
})

it.each([{ json: true as const }, { quiet: true as const }])('%o keeps silent', (option) => {
  labContext({ stack, ...option })
  expect(said()).toBe('')
})

it('without it the file counts, and there is nothing to say', () => {
  writeFileSync(settings, `config:\n  overlab:inventory: ${inventory}\n`)
  expect(labContext({ stack }).inventory.lab.overlay.Backend.Type).toBe('host-gw')
  expect(said()).not.toContain('replaces')
})
