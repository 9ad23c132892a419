import { endianness } from 'node:os'
import { expect, test } from 'vitest'
import { ownerIn } from '../../../plugins/server/peer.ts'

const peer = { address: '127.0.0.1', port: 43210 }
const here = { address: '127.0.0.1', port: 35000 }
const little = endianness() === 'LE'
const loopback = little ? '0100007F' : '7F000001'
const v6 = `0000000000000000${little ? 'FFFF0000' : '0000FFFF'}${loopback}`
const heading =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'

/** A row as the kernel writes it; A8CA is port 43210, 88B8 is 35000. */
function row({
  from = `${loopback}:A8CA`,
  to = `${loopback}:88B8`,
  state = '01',
  uid = '1000',
  inode = '4711',
}) {
  return `   3: ${from} ${to} ${state} 00000000:00000000 00:00000000 00000000 ${uid.padStart(5)}        0 ${inode} 1 0000000000000000 20 0 0 10 -1\n`
}

test.each([
  ['the peer’s own row', row({}), 1000],
  ['root’s', row({ uid: '0' }), 0],
  ['of an IPv6 socket that speaks IPv4', row({ from: `${v6}:A8CA`, to: `${v6}:88B8` }), 1000],
  [
    'the plugin’s end of it is another row',
    row({ from: `${loopback}:88B8`, to: `${loopback}:A8CA` }),
    undefined,
  ],
  ['another port', row({ from: `${loopback}:A8CB` }), undefined],
  ['connected to something else', row({ to: `${loopback}:88B9` }), undefined],
  [
    'closed by its process: the kernel then shows root',
    row({ state: '04', uid: '0', inode: '0' }),
    undefined,
  ],
  ['without a process', row({ uid: '0', inode: '0' }), undefined],
  ['closed some time ago', row({ state: '06', uid: '0', inode: '0' }), undefined],
  ['among others', row({ from: `${loopback}:0016`, uid: '0' }) + row({ uid: '7' }), 7],
  ['no row', '', undefined],
])('whose socket it is: %s', (_, rows, owner) => {
  expect(ownerIn(heading + rows, peer, here)).toBe(owner)
})
