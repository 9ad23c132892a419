/** From what an inventory says of a host that exists to how it is dialled: keys and host keys looked up on this computer. */
import { access, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { SshAccess, SshLogin } from '../../inventory/inventory.ts'
import { HostError } from '../../remote/errors.ts'
import { agentIdentity } from '../../remote/identity.ts'
import { bestOf, keysOf } from '../../remote/known-hosts-file.ts'
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
  const hostKey = login.hostKey ?? (await knownKey(name, login))
  return { name, host, port, user, identityFile: await identityOf(name, login), hostKey }
}

async function identityOf(name: string, { key }: SshLogin): Promise<string> {
  if (key !== undefined) return key === agentIdentity ? key : expand(key)
  if (process.env['SSH_AUTH_SOCK']) return agentIdentity
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
    why: `there is no key to log in with: SSH_AUTH_SOCK is not set, and there is none of ${usualKeys.join(', ')}`,
    hint: 'name it in the inventory (ssh_key: ~/.ssh/NAME), or make one (`ssh-keygen -t ed25519`)',
  })
}

async function knownKey(name: string, { host, port, knownHosts }: SshLogin): Promise<string> {
  const file = expand(knownHosts)
  let text
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return ''
  }
  const known = keysOf(text, host, port)
  const key = bestOf(known)
  if (key === undefined && known.revoked.length > 0)
    throw new HostError({
      host: name,
      step: 'connect',
      why: `every key of ${host} in ${file} is revoked`,
      hint: 'if the host has a new key, add its line; `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host prints its fingerprint',
    })
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
