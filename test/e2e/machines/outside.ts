/**
 * Runs inside a sandbox, on a machine that forwards and has a neighbour outside: a lab's packets reach neither that
 * neighbour, nor another lab, nor the machine's other addresses.
 */
import { execFileSync, spawn } from 'node:child_process'
import { namespaceDriver } from '../../../machines/namespace.ts'
import { ssh, testLab } from './labs.ts'

const labs = [testLab('one', '192.168.200', 1), testLab('two', '192.168.201', 1)]
for (const { underlay, machines } of labs) {
  await namespaceDriver.createUnderlay(underlay)
  await Promise.all(machines.map((machine) => namespaceDriver.boot(machine)))
}
const outside = spawn('unshare', ['--net', 'sleep', '1000'], { stdio: 'ignore' })
const shell = (script: string, ...args: string[]) =>
  execFileSync('sh', ['-euc', script, 'sh', ...args]).toString()
const send = (from: string, to: string) =>
  ssh(from, 'node1', `ping -n -c2 -i0.2 -W1 ${to} >/dev/null && echo reached || echo lost`)
try {
  shell(
    `until [ "$(readlink /proc/$1/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
    ip link add dev wan type veth peer name eth0 netns "$1"
    ip address add 198.51.100.1/24 dev wan; ip link set dev wan up
    nsenter --net="/proc/$1/ns/net" sh -c 'ip address add 198.51.100.2/24 dev eth0; ip link set dev eth0 up; ip route add default via 198.51.100.1'
    echo 1 >/proc/sys/net/ipv4/ip_forward`,
    String(outside.pid),
  )
  const results = {
    controller: await send('one', '192.168.200.254'),
    neighbour: await send('one', '198.51.100.2'),
    'other lab': await send('one', '192.168.201.1'),
    'other address': await send('one', '198.51.100.1'),
    // The way there is open: the machine itself gets through.
    itself: shell('ping -n -c1 -W2 198.51.100.2 >/dev/null && echo reached').trim(),
  }
  console.log(JSON.stringify(results))
} finally {
  outside.kill('SIGKILL')
}
