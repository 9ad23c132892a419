/** From what an inventory says of a host that exists to how it is dialled: keys and host keys looked up on this computer. */
import { access, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { SshAccess, SshLogin } from '../../inventory/inventory.ts'
import { agentKeys } from '../../remote/agent.ts'
import { HostError } from '../../remote/errors.ts'
import { agentIdentity } from '../../remote/identity.ts'
import { bestOf, isRevoked, keysOf, type KnownKeys } from '../../remote/known-hosts-file.ts'
import type { Target } from '../../remote/target.ts'

/** Those that ssh takes by itself, in its order. */
const usualKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((file) => `~/.ssh/${file}`)

/**
 * A key that is known nowhere is an empty one: connecting then says which key the host shows.
 * @throws HostError of step `connect` where there is no client key, or the host's key is revoked
 */
export async function targetOf(name: string, access: SshAccess): Promise<Target> {
  const target = await loginTarget(name, access)
  return {
    ...target,
    become: access.become,
    ...(access.jump && { jump: await loginTarget(name, access.jump) }),
  }
}

async function loginTarget(name: string, login: SshLogin): Promise<Target> {
  const { host, port, user } = login
  const known = await knownKeys(login)
  if (login.hostKey !== undefined && known && isRevoked(known, login.hostKey))
    throw revoked(name, login, 'its key in the inventory is')
  const hostKey = login.hostKey ?? (known ? knownKey(name, login, known) : '')
  return { name, host, port, user, identityFile: await identityOf(name, login), hostKey }
}

async function identityOf(name: string, { key }: SshLogin): Promise<string> {
  if (key !== undefined) return key === agentIdentity ? key : expand(key)
  const agent = await stateOfAgent()
  if (agent === undefined) return agentIdentity
  // As OpenSSH does where the agent gives no key.
  for (const file of usualKeys.map(expand))
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file
  throw new HostError({
    host: name,
    step: 'connect',
    why: `there is no key to log in with: ${agent}, and there is none of ${usualKeys.join(', ')}`,
    hint: 'name it in the inventory (ssh_key: ~/.ssh/NAME), or make one (`ssh-keygen -t ed25519`)',
  })
}

/** Why there is no key of an agent; undefined where it has some. */
async function stateOfAgent(): Promise<string | undefined> {
  const socket = process.env['SSH_AUTH_SOCK']
  if (!socket) return 'SSH_AUTH_SOCK is not set'
  try {
    return (await agentKeys(socket)) > 0 ? undefined : `the agent of SSH_AUTH_SOCK (${socket}) holds none`
  } catch (error) {
    return `the agent of SSH_AUTH_SOCK (${socket}) does not answer (${(error as Error).message})`
  }
}

/** What the login's known_hosts says of the host; undefined where there is no such file. */
async function knownKeys({ host, port, knownHosts }: SshLogin): Promise<KnownKeys | undefined> {
  try {
    return keysOf(await readFile(expand(knownHosts), 'utf8'), host, port)
  } catch {
    return undefined
  }
}

function revoked(name: string, { host, knownHosts }: SshLogin, what: string): HostError {
  return new HostError({
    host: name,
    step: 'connect',
    why: `${what} revoked: ${expand(knownHosts)} has it under @revoked for ${host}. Nothing was sent to the host`,
    hint: 'give the host a new key (`ssh-keygen -A` after the old files are removed), and take its line of /etc/ssh/ssh_host_ed25519_key.pub',
  })
}

function knownKey(name: string, login: SshLogin, known: KnownKeys): string {
  const { host } = login
  const file = expand(login.knownHosts)
  const key = bestOf(known)
  if (key === undefined && known.keys.length > 0)
    throw revoked(name, login, 'every key that it is known by is')
  if (key === undefined && known.hasAuthority)
    throw new HostError({
      host: name,
      step: 'connect',
      why: `${file} knows ${host} by a certificate authority only, and overlab checks no host certificates`,
      hint: "give the host's own key in the inventory: ssh_host_key: ssh-ed25519 AAAA...",
    })
  return key ?? ''
}

function expand(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path
}
