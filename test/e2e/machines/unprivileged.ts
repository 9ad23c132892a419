/**
 * Runs inside a sandbox: first as root, to set a rule of sudo for the user `nobody` (seen in this sandbox alone), then
 * as that user without the rule and with it.
 */
import { execFileSync } from 'node:child_process'
import { namespaceDriver } from '../../../machines/namespace.ts'
import { ssh, testLab } from './labs.ts'

const { underlay, machines } = testLab('user', '192.168.200', 1)
if (process.getuid?.() === 0) {
  const asNobody = () =>
    execFileSync(
      'setpriv',
      ['--reuid=nobody', '--regid=nogroup', '--clear-groups', process.execPath, import.meta.filename],
      {
        env: { PATH: process.env.PATH, HOME: '/tmp' },
        encoding: 'utf8',
      },
    )
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'sudoers', '/etc/sudoers.d'])
  process.stdout.write(asNobody())
  execFileSync('sh', [
    '-c',
    'echo "nobody ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/nobody; chmod 440 /etc/sudoers.d/nobody',
  ])
  process.stdout.write(asNobody())
} else {
  try {
    await namespaceDriver.createUnderlay(underlay)
    await Promise.all(machines.map((machine) => namespaceDriver.boot(machine)))
    console.log(
      await ssh('user', 'node1', 'hostname'),
      (await namespaceDriver.readUnderlay(underlay.lab))?.controller,
    )
    await namespaceDriver.deleteUnderlay(underlay.lab)
  } catch (error) {
    console.log((error as Error).message)
  }
}
