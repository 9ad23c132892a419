import { expect, test } from 'vitest'
import { HostError } from '../../remote/errors.ts'
import * as failures from '../../remote/failures.ts'
import { parseHostKey } from '../../remote/host-key.ts'
import cases from './failures.json' with { type: 'json' }

const target = {
  name: 'node1',
  host: '192.168.77.1',
  port: 22,
  user: 'root',
  identityFile: '/run/overlab/lab/id',
  hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC8T',
}
const pinned = parseHostKey(target.hostKey)

test.each(cases)('$error', ({ error, final, message }) => {
  const thrown = Object.assign(new Error(), error)
  const { final: isFinal, ...diagnosis } = failures.diagnose(target, thrown, { pinned, timeoutMs: 10_000 })
  expect(new HostError({ host: target.name, step: 'connect', ...diagnosis }).message).toBe(message)
  expect(isFinal).toBe(final)
})

test('a wrong host key goes before whatever else the error says', () => {
  const presented = Buffer.from(pinned.blob).fill(7, 40)
  const { why, final } = failures.diagnose(target, Object.assign(new Error(), { code: 'ECONNRESET' }), {
    pinned,
    presented,
    timeoutMs: 1,
  })
  expect(why).toMatch(
    /^the host key of 192\.168\.77\.1:22 is not the pinned one: it shows SHA256:\S{43}, pinned is SHA256:\S{43}$/,
  )
  expect(final).toBe(true)
})

test.each([
  [
    failures.lost(target, 'probe'),
    'node1: probe: the connection was lost; the command may have run in part\n  is the machine up? `./overlab up` boots one that overlab made',
  ],
  [
    failures.lost(target, 'probe', new Error('read ECONNRESET')),
    'node1: probe: the connection was lost (read ECONNRESET); the command may have run in part\n  is the machine up? `./overlab up` boots one that overlab made',
  ],
  [failures.closed(target, 'probe'), 'node1: probe: the session was closed'],
  [failures.cancelled(target, 'probe'), 'node1: probe: cancelled'],
  [
    failures.timedOut(target, 'apply', 1500, 'a\nb\n'),
    'node1: apply: not finished after 1.5 s; it was killed and may have run in part\n  a\n  b',
  ],
  [
    failures.tooMuchOutput(target, 'probe', 64 * 2 ** 20),
    'node1: probe: more than 64 MB of output; it was killed, since half an output would mislead',
  ],
  [
    failures.truncated(target, 'apply'),
    'node1: apply: the script did not arrive whole; nothing of it was run',
  ],
  [failures.diedBySignal(target, 'apply', 'SIGKILL', ''), 'node1: apply: the shell was killed by SIGKILL'],
  [
    failures.noChannel(target, 'apply', new Error('no')),
    'node1: apply: sshd opened no channel for the command: no\n  is MaxSessions in its sshd_config 0, or the host out of memory or processes?',
  ],
  [
    failures.noShell(target, 'probe', 1, 'This account is not available.\n'),
    'node1: probe: the login shell of root did not start `sh`\n  This account is not available.\n  nothing was run; give root a login shell, and no forced command in authorized_keys or sshd_config',
  ],
  [
    failures.noShell(
      { ...target, user: 'ops', become: true },
      'probe',
      1,
      'sudo: sorry, you must have a tty to run sudo\n',
    ),
    "node1: probe: sudo wants ops to have a terminal (requiretty)\n  sudo: sorry, you must have a tty to run sudo\n  nothing was run; let ops use sudo without a terminal: on the host, as root, echo 'Defaults:ops !requiretty' >> /etc/sudoers.d/overlab (or log in as root, with become: false)",
  ],
  [
    failures.noShell({ ...target, user: 'ops', become: true }, 'probe', 1, 'sudo: a password is required\n'),
    "node1: probe: sudo asks ops for a password\n  sudo: a password is required\n  nothing was run; let ops become root without a password: on the host, as root, echo 'ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/overlab (or log in as root, with become: false)",
  ],
])('%o', (failure, message) => expect(new HostError(failure).message).toBe(message))
