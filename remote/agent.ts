/** The SSH agent of $SSH_AUTH_SOCK. */
import { createAgent } from 'ssh2'

/** In ms; an agent is a process on this computer. */
const patience = 5_000

/**
 * How many keys the agent offers.
 * @param socket path of its socket
 * @throws Error where it does not answer; the message says why
 */
export function agentKeys(socket: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no answer within ${patience / 1000} s`)), patience)
    createAgent(socket).getIdentities((error, keys) => {
      clearTimeout(late)
      if (error) reject(error)
      else resolve(keys?.length ?? 0)
    })
  })
}
