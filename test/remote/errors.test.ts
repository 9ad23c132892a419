import { expect, test } from 'vitest'
import { HostError } from '../../remote/errors.ts'
import { dangerous } from '../support/dangerous.ts'

test('what a host printed stands harmless in the message, and only its end', () => {
  const { message } = new HostError({
    host: 'node1',
    step: 'probe',
    why: 'ip said \x1b[2J\nnode2: all is well',
    object: 'routes["\u202e"]',
    command: 'ip route',
    stderr: `first\n${'second\n'.repeat(9)}\x1b[31m\r\nlast \x9b1m\u2028`,
  })
  expect(message.split('\n')).toEqual([
    'node1: probe routes["\\u202e"]: ip said \\u001b[2J\\nnode2: all is well',
    '  command: ip route',
    '  second',
    '  second',
    '  second',
    '  \\u001b[31m',
    '  last \\u009b1m',
  ])
  expect(message).not.toMatch(dangerous)
})

test('a line of 20 MB is cut', () => {
  const { message } = new HostError({ host: 'a', step: 'b', why: 'c', stderr: 'x'.repeat(20 * 2 ** 20) })
  expect(message.length).toBeLessThan(600)
})

test('a host key in a hint stays whole: it is there to be copied', () => {
  const key = `ssh-rsa ${'A'.repeat(1400)}`
  expect(new HostError({ host: 'a', step: 'b', why: 'c', hint: `pin it:\n  ${key}` }).message).toContain(key)
})
