/** The client's key: a file's, or those of an agent. */
import { readFile } from 'node:fs/promises'
import { agentKeys } from './agent.ts'
import { HostError } from './errors.ts'
import { badIdentity, pkcs8Identity } from './failures.ts'
import type { Target } from './target.ts'

/** Stands for the keys of $SSH_AUTH_SOCK where a key file's path is asked for. */
export const agentIdentity = 'agent'

/** As ssh2 takes it. */
export type Login =
  | { readonly privateKey: string; readonly authHandler: ['publickey'] }
  | { readonly agent: string; readonly authHandler: ['agent'] }

/** @throws HostError of step `connect`; nothing was sent to the host */
export async function loginOf(target: Target): Promise<Login> {
  if (target.identityFile === agentIdentity) {
    const agent = process.env['SSH_AUTH_SOCK']
    if (agent) {
      await askAgent(target, agent)
      return { agent, authHandler: ['agent'] }
    }
    throw new HostError({
      host: target.name,
      step: 'connect',
      why: 'its key is to come from an SSH agent, and SSH_AUTH_SOCK is not set',
      hint: 'start one (`eval $(ssh-agent); ssh-add`), or name a key file',
    })
  }
  let privateKey
  try {
    privateKey = await readFile(target.identityFile, 'utf8')
  } catch (error) {
    throw new HostError(badIdentity(target, error as Error), { cause: error })
  }
  const pkcs8 = /^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/m.exec(privateKey)
  if (pkcs8) throw new HostError(pkcs8Identity(target, pkcs8[1] !== undefined))
  return { privateKey, authHandler: ['publickey'] }
}

/** Before anything is dialled: an agent that is dead or empty is no fault of the host. */
async function askAgent({ name }: Target, socket: string): Promise<void> {
  const place = { host: name, step: 'connect' }
  let keys
  try {
    keys = await agentKeys(socket)
  } catch (error) {
    throw new HostError(
      {
        ...place,
        why: `the SSH agent of SSH_AUTH_SOCK (${socket}) does not answer: ${(error as Error).message}`,
        hint: 'start one (`eval $(ssh-agent); ssh-add`), or name a key file (ssh_key: ~/.ssh/NAME)',
      },
      { cause: error },
    )
  }
  if (keys === 0)
    throw new HostError({
      ...place,
      why: `the SSH agent of SSH_AUTH_SOCK (${socket}) holds no key`,
      hint: 'give it one (`ssh-add FILE`), or name a key file (ssh_key: ~/.ssh/NAME)',
    })
}
