import { expect, test } from 'vitest'
import { readWords } from './bench-options.ts'

const usual = { sizes: [], parts: [], rounds: 3, minutes: 60, backend: 'vxlan' }

test.each([
  [[], { sizes: [3, 10, 30, 50], parts: ['ssh', 'vms', 'data-plane'] }],
  [['vms', '3', 'image', '--rounds', '1'], { sizes: [3], parts: ['vms', 'image'], rounds: 1 }],
  [
    ['data-plane', 'ssh', '--minutes', '0.5', '--json', 'a.json'],
    { parts: ['ssh', 'data-plane'], minutes: 0.5, json: 'a.json' },
  ],
  [['10', '--backend', 'udp'], { sizes: [10], backend: 'udp' }],
])('%j', (words, wish) => expect(readWords(words)).toEqual({ ...usual, ...wish }))

test('the usage alone', () => expect(readWords(['vms', '-h'])).toBeUndefined())

test.each([
  ['vmss', 'there is no vmss to measure; did you mean vms?'],
  ['-- hosts', 'there is no hosts to measure; use one of ssh, vms, data-plane, image'],
  ['1', '1: a lab of this bench has 2 to 200 machines'],
  ['3.5', '3.5: a lab of this bench has 2 to 200 machines'],
  ['--rounds 1.5', '--rounds 1.5: give a whole number above 0'],
  ['--rounds 0', '--rounds 0: give a whole number above 0'],
  ['--minutes x', '--minutes x: give a number above 0'],
  ['--backend host-gw', '--backend host-gw: it is vxlan or udp'],
  ['--rouns 2', "Unknown option '--rouns'"],
])('%s', (line, message) => {
  const words = line.split(' ')
  expect(() => readWords(words)).toThrow(RangeError)
  expect(() => readWords(words)).toThrow(message)
})
