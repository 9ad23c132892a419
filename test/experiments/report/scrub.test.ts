import { expect, test } from 'vitest'
import { scrubbed } from '../../../experiments/report/scrub.ts'

const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----'

test.each([
  ['compare --output /home/ana/project/x.json', 'compare --output .../x.json'],
  ['open /home/ana/lab/x.json: no such file', 'open .../x.json: no such file'],
  ['/root/wt/a.sock', '.../a.sock'],
  ['/Users/ana', '.../'],
  ['~/.ssh/id_ed25519', '.../id_ed25519'],
  ['PULUMI_CONFIG_PASSPHRASE=tiger pulumi up', 'PULUMI_CONFIG_PASSPHRASE=(left out) pulumi up'],
  ['API_TOKEN="a b" and more', 'API_TOKEN=(left out) and more'],
  [`before ${key} after`, 'before (a private key, left out) after'],
  ['-----BEGIN RSA PRIVATE KEY-----\ncut off', '(a private key, left out)'],
])('%s', (text, expected) => expect(scrubbed({ text: [text] })).toEqual({ text: [expected] }))

test.each([
  '/proc/sys/net/ipv4/ip_forward is 0',
  '~20 ms',
  'the key of the VTEP = its MAC',
  '/sys/fs/bpf/root/x',
  'node1: ping: was interrupted',
])('%s stays as it is', (text) => expect(scrubbed(text)).toBe(text))

test('numbers, nothing and truth stay as they are', () => {
  const data = { a: 1, b: null, c: true, d: undefined }
  expect(scrubbed(data)).toEqual(data)
})
