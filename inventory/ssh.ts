/** How a host that exists (`machine: ssh`) is reached, from its variables. Pure. */
import { dirname, resolve } from 'node:path'
import type { GroupedHost } from './groups.ts'
import type { SshAccess, SshLogin } from './inventory.ts'
import { readVariable } from './numbers.ts'
import type { VariableName } from './schema.ts'
import type { Ip } from './values.ts'

/** OpenSSH's own default. */
const knownHostsFile = '~/.ssh/known_hosts'
/** Seconds; long enough for a busy host to take a new connection, short enough to wait for. */
const confirmSeconds = 30

/** `file` is the inventory's, to which relative paths belong; what the host's variables leave open has its default. */
export function sshAccess(host: GroupedHost, address: Ip, file: string): SshAccess {
  const value = <K extends VariableName>(key: K) => {
    const reading = readVariable(host, key)
    return typeof reading === 'object' ? reading.value : undefined
  }
  const path = (text: string) =>
    text === 'agent' || text.startsWith('~/') ? text : resolve(dirname(file), text)
  const login = (given: Pick<SshLogin, 'host'> & Partial<Record<keyof SshLogin, unknown>>): SshLogin => ({
    host: given.host,
    port: (given.port as number | undefined) ?? 22,
    user: (given.user as string | undefined) ?? 'root',
    ...(given.key !== undefined && { key: path(given.key as string) }),
    ...(given.hostKey !== undefined && {
      hostKey: (given.hostKey as string).split(' ').slice(0, 2).join(' '),
    }),
    knownHosts: path(value('ssh_known_hosts') ?? knownHostsFile),
  })
  const jump = value('ssh_jump')
  const confirm = value('confirm')
  return {
    ...login({
      host: value('ssh_host') ?? value('ansible_host') ?? address,
      port: value('ssh_port'),
      user: value('ssh_user'),
      key: value('ssh_key'),
      hostKey: value('ssh_host_key'),
    }),
    // As with ssh's own ProxyJump, nothing but the key is taken over from the host behind it.
    ...(jump && {
      jump: login({
        host: jump.host,
        port: jump.port,
        user: jump.user,
        key: jump.key ?? value('ssh_key'),
        hostKey: jump.host_key,
      }),
    }),
    become: value('become') ?? false,
    confirm: confirm === undefined ? confirmSeconds : confirm === 'off' ? 0 : Number.parseInt(confirm),
  }
}

/** The same as variables again, by the names that an inventory file uses. */
export function sshVariables({
  become,
  confirm,
  jump,
  knownHosts,
  ...login
}: SshAccess): Record<string, unknown> {
  const said = ({ port, user, key, hostKey }: Omit<SshLogin, 'host' | 'knownHosts'>) => ({
    port,
    user,
    ...(key !== undefined && { key }),
    ...(hostKey !== undefined && { host_key: hostKey }),
  })
  return {
    ...Object.fromEntries(
      Object.entries({ host: login.host, ...said(login) }).map(([key, value]) => [`ssh_${key}`, value]),
    ),
    ssh_known_hosts: knownHosts,
    ...(jump && { ssh_jump: { host: jump.host, ...said(jump) } }),
    become,
    confirm: confirm === 0 ? 'off' : `${confirm}s`,
  }
}
