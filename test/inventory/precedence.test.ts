import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseInventory } from '../../inventory/load.ts'
import { inventoryText } from './inventory-text.ts'

interface Case {
  readonly case: string
  readonly all: object
  readonly x_v: Readonly<Record<string, unknown>>
}

const cases = JSON.parse(readFileSync(new URL('precedence.json', import.meta.url), 'utf8')) as Case[]

describe('precedence of variables, as in Ansible', () => {
  it.each(cases)('$case', ({ all, x_v }) => {
    const { hosts } = parseInventory(inventoryText(all), 'lab.yaml')
    expect(Object.fromEntries(hosts.map((host) => [host.name, host.vars['x_v']]))).toEqual(x_v)
  })
})

describe('acts of bootstrap', () => {
  it('come outermost group first, the host last, an equal act once', () => {
    const text = inventoryText({
      vars: { bootstrap: [{ run: 'all' }] },
      children: {
        web: {
          vars: { bootstrap: [{ run: 'web' }, { run: 'both' }] },
          hosts: { a1: { bootstrap: [{ run: 'host' }] } },
        },
        db: { vars: { bootstrap: [{ run: 'db' }, { run: 'both' }] }, hosts: { a1: null } },
        top: { vars: { bootstrap: [{ run: 'top' }] }, children: { web: null, db: null } },
      },
    })
    const acts = parseInventory(text, 'lab.yaml').hosts[0]?.bootstrap ?? []
    expect(acts.map((act) => 'command' in act && act.command)).toEqual([
      'all',
      'top',
      'db',
      'both',
      'web',
      'host',
    ])
  })

  it('have names that another act does not change', () => {
    const names = (acts: object[]) =>
      parseInventory(
        inventoryText({ hosts: { a1: { bootstrap: acts } } }),
        'lab.yaml',
      ).hosts[0]?.bootstrap.map((act) => act.name) ?? []
    const [one, two] = names([
      { run: 'one', environment: { B: '1', A: '2' } },
      { copy: 'x', to: '/x' },
    ])
    expect(
      names([{ run: 'new' }, { to: '/x', copy: 'x' }, { environment: { A: '2', B: '1' }, run: 'one' }]).slice(
        1,
      ),
    ).toEqual([two, one])
    expect(
      new Set(
        names([
          { run: 'one' },
          { run: 'one', environment: { A: '1' } },
          { run: 'one', environment: { A: '2' } },
        ]),
      ).size,
    ).toBe(3)
  })

  it('copy from beside the inventory file, and from an absolute path as it is', () => {
    const text = inventoryText({
      hosts: {
        a1: {
          bootstrap: [
            { copy: 'files/motd', to: '/a' },
            { copy: '/etc/hosts', to: '/b' },
          ],
        },
      },
    })
    const sources = (file: string) =>
      parseInventory(text, file).hosts[0]?.bootstrap.map((act) => 'copy' in act && act.copy)
    expect(sources('/home/me/labs/lab.yaml')).toEqual(['/home/me/labs/files/motd', '/etc/hosts'])
    expect(sources('labs/lab.yaml')).toEqual(['labs/files/motd', '/etc/hosts'])
  })
})
