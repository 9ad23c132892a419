/**
 * Ansible's own variables of a host that exists (`machine: ssh`): those with a counterpart are read, some change nothing
 * about who is reached and as whom, and every other one is refused by name, for Ansible would reach another host by it,
 * or as another user. Pure.
 */
import { shown, type Report } from './mistakes.ts'
import { ansibleNames, variables as known } from './schema.ts'
import { sshArguments } from './ssh-arguments.ts'
import type { Variable } from './variable.ts'

/** In the order in which ssh gets them. */
const argumentNames = ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'] as const

/** Accepted, and without an effect here: how Ansible itself works. */
export const ignoredNames: ReadonlySet<string> = new Set([
  'ansible_control_path',
  'ansible_control_path_dir',
  'ansible_pipelining',
  'ansible_python_interpreter',
  'ansible_remote_tmp',
  'ansible_scp_extra_args',
  'ansible_scp_if_ssh',
  'ansible_sftp_batch_mode',
  'ansible_sftp_extra_args',
  'ansible_shell_executable',
  'ansible_shell_type',
  'ansible_ssh_control_path',
  'ansible_ssh_pipelining',
  'ansible_ssh_retries',
  'ansible_ssh_timeout',
  'ansible_ssh_transfer_method',
  'ansible_ssh_use_tty',
  'ansible_timeout',
])

type Refusal = { readonly what: string; readonly todo: string }

const byKey: Refusal = {
  what: 'overlab logs in by key, never by password',
  todo: 'remove it, and name a key by ssh_key, or none for those of the agent and ~/.ssh',
}
const passphrase: Refusal = {
  what: 'overlab takes no key and no passphrase from an inventory',
  todo: 'remove it, and put the key into an agent (ssh-add)',
}
const noPassword: Refusal = {
  what: 'overlab gives sudo no password',
  todo: 'remove it, and let the user in without one: NAME ALL=(ALL) NOPASSWD: ALL in /etc/sudoers.d',
}
const only = (values: readonly unknown[], what: string, todo: string) => (value: unknown) =>
  values.includes(value) ? undefined : { what, todo }

const plainFlags = (value: unknown) =>
  typeof value === 'string' && /^(\s*-[HSnE]+)*\s*$/.test(value)
    ? undefined
    : { what: 'overlab runs sudo -n, without other flags', todo: 'remove it' }

/** What is refused whatever it says, or for some of its values. */
const refused: Readonly<Record<string, Refusal | ((value: unknown) => Refusal | undefined)>> = {
  ansible_password: byKey,
  ansible_ssh_pass: byKey,
  ansible_ssh_password: byKey,
  ansible_ssh_private_key: passphrase,
  ansible_private_key: passphrase,
  ansible_private_key_passphrase: passphrase,
  ansible_ssh_private_key_passphrase: passphrase,
  ansible_become_pass: noPassword,
  ansible_become_password: noPassword,
  ansible_sudo_pass: noPassword,
  ansible_become_user: only(['root'], 'overlab works as root', 'remove it'),
  ansible_become_method: only(
    ['sudo', 'ansible.builtin.sudo'],
    'overlab becomes root by sudo only',
    'remove it, and let sudo in: NAME ALL=(ALL) NOPASSWD: ALL in /etc/sudoers.d',
  ),
  ansible_become_flags: plainFlags,
  ansible_sudo_flags: plainFlags,
  ansible_ssh_executable: only(
    ['ssh', '/usr/bin/ssh'],
    'overlab has an SSH client of its own',
    "remove it, or write what it is for by overlab's own variables (ssh_jump)",
  ),
  ansible_connection: only(
    ['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'ansible.builtin.ssh'],
    'overlab reaches hosts that exist by ssh only',
    'remove it, or take the host out',
  ),
  ansible_host_key_checking: only(
    [true],
    'overlab takes no host key on trust',
    'remove it, and pin ssh_host_key',
  ),
  ansible_ssh_host_key_checking: only(
    [true],
    'overlab takes no host key on trust',
    'remove it, and pin ssh_host_key',
  ),
}

/** Those that overlab reads from a `machine: ssh`, so that they are none of the user's own any more. */
export function isRead(name: string): boolean {
  return Object.hasOwn(ansibleNames, name) || argumentNames.some((one) => one === name)
}

/** A host's variables, and those of overlab's that its arguments of ssh stand for. One of overlab's own goes before them. */
export function withArguments(given: ReadonlyMap<string, Variable>): ReadonlyMap<string, Variable> {
  const first = argumentNames.map((name) => given.get(name)).find((variable) => variable !== undefined)
  if (first === undefined) return given
  const { jump, key, port, user, knownHosts } = sshArguments(argumentsText(given))
  const meant = { ssh_jump: jump, ssh_key: key, ssh_port: port, ssh_user: user, ssh_known_hosts: knownHosts }
  const added = Object.entries(meant).filter(([name, value]) => value !== undefined && !given.has(name))
  return new Map([...given, ...added.map(([name, value]) => [name, { value, path: first.path }] as const)])
}

function argumentsText(given: ReadonlyMap<string, Variable>): string {
  return argumentNames
    .map((name) => given.get(name)?.value)
    .filter((value) => typeof value === 'string')
    .join(' ')
}

/** Reports those of Ansible's variables of a `machine: ssh` that overlab cannot do as Ansible would. */
export function checkAnsible(
  { name, variables }: { readonly name: string; readonly variables: ReadonlyMap<string, Variable> },
  report: Report,
): void {
  for (const [key, { value, path }] of variables) {
    if (!key.startsWith('ansible_') || key === 'ansible_group_priority' || ignoredNames.has(key)) continue
    if (value === null || value === '') continue
    if (typeof value === 'string' && value.includes('{{')) {
      report({ path, what: 'holds a template, and overlab fills in none', todo: 'write its value' })
      continue
    }
    if (key.endsWith('_interpreter') || key === 'ansible_host' || Object.hasOwn(ansibleNames, key)) continue
    if (argumentNames.some((one) => one === key)) {
      if (typeof value !== 'string')
        report({ path, what: `is ${shown(value)}, not a text`, todo: 'write arguments of ssh, or remove it' })
      else for (const refusal of sshArguments(value).refused) report({ path, ...refusal })
      continue
    }
    const rule = refused[key]
    const refusal = typeof rule === 'function' ? rule(value) : (rule ?? unknownName)
    // The value is not quoted: it may be a password.
    if (refusal) report({ path, atKey: true, ...refusal })
  }
  // What stands for a variable of overlab's has its form too.
  for (const own of ['ssh_jump', 'ssh_key', 'ssh_port', 'ssh_user', 'ssh_known_hosts'] as const) {
    const variable = variables.get(own)
    const from = variable?.path.at(-1)
    if (
      !variable ||
      !argumentNames.some((one) => one === from) ||
      known[own].safeParse(variable.value).success
    )
      continue
    const what = `these arguments of ssh give ${name} ${own}: ${shown(variable.value)}, which is none`
    report({ path: variable.path, what, todo: `correct them, or write ${own} instead` })
  }
}

const unknownName: Refusal = {
  what: "overlab does not know this variable of Ansible's, by which a host might be reached in another way",
  todo: "remove it, or write what it is for by overlab's own variables (docs/hosts.md)",
}
