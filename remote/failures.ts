import { endpoint } from './endpoint.ts'
import type { HostFailure } from './errors.ts'
import { fingerprint, type HostKey, keyText } from './host-key.ts'
import { quote } from './quote.ts'
import type { Target } from './target.ts'
import { overlabCommand } from '../tools/command-line.ts'

/** A refusal that another attempt cannot change is final. */
export interface Diagnosis {
  readonly why: string
  readonly hint?: string
  readonly final: boolean
}

/** What ssh2 and Node's sockets put on their errors. */
interface SshError extends Error {
  readonly level?: string
  /** An errno's name from a socket, a number (RFC 4253 11.1) from a server's disconnect message. */
  readonly code?: string | number
}

const isItUp = () => `is the machine up? \`${overlabCommand('up')}\` boots one that overlab made`

/** Says why a connection could not be made and whether another attempt may help. Pure. */
export function diagnose(
  target: Target,
  error: Error,
  seen: { pinned: HostKey | undefined; presented?: Buffer | undefined; timeoutMs: number },
): Diagnosis {
  const at = endpoint(target.host, target.port)
  const { level, code, message } = error as SshError
  if (seen.presented && !seen.pinned) {
    const shown = keyText(seen.presented)
    return {
      why: `the host key of ${at} is not known here; it shows ${shown.split(' ')[0]} ${fingerprint(seen.presented)}. Nothing was sent to it`,
      hint:
        'compare that with what the host itself says (on its console: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), then pin it in the inventory:\n' +
        `  ssh_host_key: ${shown}`,
      final: true,
    }
  }
  if (seen.presented && seen.pinned) {
    return {
      why: `the host key of ${at} is not the pinned one: it shows ${fingerprint(seen.presented)}, pinned is ${fingerprint(seen.pinned.blob)}`,
      hint:
        'another machine answers at this address, or this one was made anew outside of overlab. Nothing was sent to it. ' +
        'If it is the right machine (`ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` there prints the fingerprint), pin its key:\n' +
        `  ${keyText(seen.presented)}`,
      final: true,
    }
  }
  if (code === 2 && /too many authentication failures/i.test(message)) {
    return {
      why: `${at} ended the login of ${target.user} after too many keys: ${message}`,
      hint: 'sshd takes only some (MaxAuthTries, 6 unless changed), and the right one did not come before; name it in the inventory (ssh_key: ~/.ssh/NAME), or take others out of the agent (`ssh-add -d FILE`)',
      final: true,
    }
  }
  if (level === 'client-authentication' || (code === 2 && /authentication/i.test(message))) {
    return {
      why: `${at} refused ${target.identityFile === 'agent' ? "the agent's keys" : `the key ${target.identityFile}`} for the user ${target.user}`,
      hint: `is its public half in ${target.user}'s authorized_keys there? sshd's log on the host says more`,
      final: true,
    }
  }
  switch (code) {
    case 'ECONNREFUSED':
      return { why: `nothing listens on ${at}`, hint: isItUp(), final: false }
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { why: `${at} cannot be reached (${code})`, hint: isItUp(), final: false }
    case 'ENOTFOUND':
      return {
        why: `the name ${target.host} is unknown`,
        hint: 'check the address in the inventory',
        final: true,
      }
    case 'EAI_AGAIN':
      return {
        why: `the name ${target.host} could not be looked up`,
        hint: 'does the resolver work?',
        final: false,
      }
    case 'ETIMEDOUT':
      return { why: `${at} did not answer`, hint: isItUp(), final: false }
    case 'ECONNRESET':
    case 'EPIPE':
      return {
        why: `${at} broke the connection off before it was ready (${code})`,
        hint: "sshd's log on the host says more; a machine that is still starting does this too",
        final: false,
      }
    case 'EACCES':
    case 'EPERM':
      return {
        why: `connecting to ${at} is forbidden here (${code})`,
        hint: 'does a local firewall forbid it?',
        final: true,
      }
  }
  if (level === 'client-timeout') {
    return { why: `${at} was not ready within ${seconds(seen.timeoutMs)}`, hint: isItUp(), final: false }
  }
  if (level === 'handshake') {
    return {
      why: `no SSH with ${at}: ${message}`,
      hint: 'overlab needs OpenSSH 7.2 or newer there, with an algorithm in common',
      final: true,
    }
  }
  if (/Connection lost before handshake|No response from server/.test(message)) {
    return {
      why: `${at} closed the connection before it was ready`,
      hint: 'sshd does this when too many connect at once (MaxStartups), and a machine that is still starting',
      final: false,
    }
  }
  if (level === 'protocol' || /identification string/i.test(message)) {
    return {
      why: `${at} does not speak SSH: ${message}`,
      hint: 'check host and port in the inventory',
      final: true,
    }
  }
  return { why: `cannot connect to ${at}: ${message}`, hint: isItUp(), final: false }
}

/** The private key cannot be used; nothing was sent to the host. */
export function badIdentity(target: Target, error: Error): HostFailure {
  const { code, message } = error as SshError
  const file = target.identityFile
  const place = { host: target.name, step: 'connect' }
  if (code === 'ENOENT') {
    return {
      ...place,
      why: `there is no private key ${file}`,
      hint: `\`${overlabCommand('up')}\` makes the key of a lab of its own; for a host that exists, mend ssh_key in the inventory`,
    }
  }
  if (code === 'EACCES')
    return { ...place, why: `the private key ${file} cannot be read`, hint: 'run as its owner, or with sudo' }
  if (/passphrase|encrypted/i.test(message)) return { ...place, ...locked(file) }
  return {
    ...place,
    why: `${file} holds no usable private key: ${message}`,
    hint: 'make one with `ssh-keygen -t ed25519 -N ""`',
  }
}

function locked(file: string): { why: string; hint: string } {
  return {
    why: `the private key ${file} is locked by a passphrase`,
    hint: 'put it into an agent (`ssh-add FILE`, then ssh_key: agent), or make one without: `ssh-keygen -t ed25519 -N ""`',
  }
}

/** PKCS8 (RFC 5958, `BEGIN PRIVATE KEY`): OpenSSH reads it, ssh2 does not. Nothing was sent to the host. */
export function pkcs8Identity(target: Target, encrypted: boolean): HostFailure {
  const file = target.identityFile
  const place = { host: target.name, step: 'connect' }
  if (encrypted) return { ...place, ...locked(file) }
  return {
    ...place,
    why: `the private key ${file} has the form PKCS8, which cannot be read here`,
    hint: `convert it to OpenSSH's own form, in place: ssh-keygen -p -N "" -f ${quote(file)}`,
  }
}

export function lost(target: Target, step: string, cause?: Error): HostFailure {
  return {
    host: target.name,
    step,
    why: `the connection was lost${cause ? ` (${cause.message})` : ''}; the command may have run in part`,
    hint: isItUp(),
  }
}

export function closed(target: Target, step: string): HostFailure {
  return { host: target.name, step, why: 'the session was closed' }
}

export function timedOut(target: Target, step: string, timeoutMs: number, stderr: string): HostFailure {
  return {
    host: target.name,
    step,
    why: `not finished after ${seconds(timeoutMs)}; it was killed and may have run in part`,
    stderr,
  }
}

export function cancelled(target: Target, step: string): HostFailure {
  return { host: target.name, step, why: 'cancelled' }
}

export function tooMuchOutput(target: Target, step: string, limit: number): HostFailure {
  return {
    host: target.name,
    step,
    why: `more than ${Math.round(limit / 2 ** 20)} MB of output; it was killed, since half an output would mislead`,
  }
}

export function diedBySignal(target: Target, step: string, signal: string, stderr: string): HostFailure {
  return { host: target.name, step, why: `the shell was killed by ${signal}`, stderr }
}

export function lingering(target: Target, step: string, exitCode: number, ms: number): HostFailure {
  return {
    host: target.name,
    step,
    why: `the script ended (exit ${exitCode}), but something it started still held its output open ${seconds(ms)} later`,
    hint: 'start background processes with `>/dev/null 2>&1 </dev/null &`',
  }
}

/** sudo's own words, which LC_ALL=C makes English; why, and the line for `/etc/sudoers.d` that lets the user in. */
const sudoRefusals: readonly {
  readonly words: RegExp
  readonly why: (user: string) => string
  readonly line?: (user: string) => string
}[] = [
  {
    words: /a password is required|a terminal is required/,
    why: (user) => `sudo asks ${user} for a password`,
  },
  {
    words: /is not in the sudoers file|is not allowed to (run|execute)/,
    why: (user) => `sudo does not let ${user} become root`,
  },
  {
    words: /must have a tty/,
    why: (user) => `sudo wants ${user} to have a terminal (requiretty)`,
    line: (user) => `Defaults:${user} !requiretty`,
  },
]

export function noShell(target: Target, step: string, exitCode: number, output: string): HostFailure {
  if (target.become) {
    const { user } = target
    const refusal = sudoRefusals.find(({ words }) => words.test(output))
    const missing = /sudo['"]?: (No such file|not found)|exec: sudo: not found/.test(output)
    if (refusal || missing)
      return {
        host: target.name,
        step,
        why: refusal ? refusal.why(user) : 'there is no sudo on the host',
        hint: refusal
          ? `nothing was run; ${sudoersHint(user, refusal.line?.(user))} (or log in as root, with become: false)`
          : 'nothing was run; install sudo there, or log in as root, with become: false',
        exitCode,
        stderr: output,
      }
  }
  return {
    host: target.name,
    step,
    why: `the login shell of ${target.user} did not start \`sh\``,
    hint: `nothing was run; give ${target.user} a login shell, and no forced command in authorized_keys or sshd_config`,
    exitCode,
    stderr: output,
  }
}

/** A file of sudoers may hold the first line already. */
function sudoersHint(user: string, line: string | undefined): string {
  return line === undefined
    ? `let ${user} become root without a password: on the host, as root, echo '${user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/overlab`
    : `let ${user} use sudo without a terminal: on the host, as root, echo '${line}' >> /etc/sudoers.d/overlab`
}

export function truncated(target: Target, step: string): HostFailure {
  return { host: target.name, step, why: 'the script did not arrive whole; nothing of it was run' }
}

export function noChannel(target: Target, step: string, cause: Error): HostFailure {
  return {
    host: target.name,
    step,
    why: `sshd opened no channel for the command: ${cause.message}`,
    hint: 'is MaxSessions in its sshd_config 0, or the host out of memory or processes?',
  }
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`
}
