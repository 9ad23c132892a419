/**
 * What of a host's firewall is in an overlay's way. `firewall/NAME.sh` makes it in a network namespace, NAME.txt is what
 * the look's lines printed there, NAME.golden what is said of it.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Cidr, Ip } from '../../inventory/values.ts'
import { firewallLines, inTheWay, readFirewall, type Traffic } from '../../machines/firewall/firewall.ts'

const folder = new URL('firewall/', import.meta.url)
const names = readdirSync(folder).flatMap((file) => /^(.*)\.sh$/.exec(file)?.[1] ?? [])

const traffic: Traffic = {
  nic: 'eth1',
  address: '192.168.1.11' as Ip,
  underlay: '192.168.1.0/24' as Cidr,
  network: '10.244.0.0/16' as Cidr,
  port: 8472,
  device: 'flannel.1',
  bridge: 'cni0',
}

const read = (answer: string) =>
  readFirewall((word) =>
    answer.split('\n').flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : [])),
  )

test.each(names)('%s', async (name) => {
  const found = inTheWay(read(readFileSync(new URL(`${name}.txt`, folder), 'utf8')), traffic)
  await expect(found.map((line) => `${line}\n`).join('')).toMatchFileSnapshot(`firewall/${name}.golden`)
})

describe('the kernel agrees', () => {
  const script = (name: string) => readFileSync(new URL(`${name}.sh`, folder), 'utf8')
  const inNamespace = (lines: string) =>
    execFileSync(
      'unshare',
      ['--net', '--mount', 'sh', '-ec', `mount -t tmpfs none /run; ip link set lo up\n${lines}`],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    )

  test.each(names.filter((name) => !/^nft -f/m.test(script(name))))('%s is recorded as it is', (name) => {
    expect(read(inNamespace(`${script(name)}\n${firewallLines}`))).toEqual(
      read(readFileSync(new URL(`${name}.txt`, folder), 'utf8')),
    )
  })

  test('and the lines make no table', () => {
    expect(
      inNamespace(
        `sh <<'END' >/dev/null\n${firewallLines}\nEND\ncat /proc/net/ip_tables_names; iptables-nft-save`,
      ),
    ).toBe('')
  })
})

test('a host that filters other protocols, or backends without a port, asks for nothing', () => {
  const { port: _, ...rest } = traffic
  const oracle = read(readFileSync(new URL('oracle.txt', folder), 'utf8'))
  expect(inTheWay(oracle, rest)).toEqual([expect.stringContaining('forwards between pods')])
  expect(inTheWay(read('nft {"nftables": [{"chain"'), traffic)).toEqual([])
})
