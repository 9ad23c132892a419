import { expect, test } from 'vitest'
import { beginProvenance, withoutFolders } from '../../experiments/provenance.ts'
import { provenance } from '../../experiments/results/provenance.ts'

test('what is gathered here has the form of a result file', async () => {
  const end = beginProvenance(['compare', '--output', '/home/somebody/results.json'])
  const gathered = await end({ offloads: {}, machines: { driver: 'namespace', hosts: 3, pods: 6 } })
  expect(provenance.parse(gathered)).toEqual(gathered)
  expect(gathered.command).toEqual(['compare', '--output', 'results.json'])
  expect(Object.keys(gathered.versions)).toEqual(expect.arrayContaining(['overlab', 'node', 'iproute2']))
  expect(JSON.stringify(gathered)).not.toContain('undefined')
})

test.each([
  ['vxlan-flanneld', 'vxlan-flanneld'],
  ['--rounds=3', '--rounds=3'],
  ['/home/a/b.json', 'b.json'],
  ['--output=/home/a/b.json', '--output=b.json'],
  ['~/b.json', 'b.json'],
  ['../a/b.json', 'b.json'],
  ['./b.json', 'b.json'],
])('%s is told as %s', (word, told) => expect(withoutFolders(word)).toBe(told))
