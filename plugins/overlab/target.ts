/** How a host is reached, as an input of a resource. */
import { z } from 'zod'
import { hostName } from '../../inventory/values.ts'

const place = {
  host: z.string().min(1).describe('Its address.'),
  port: z.int().min(1).max(65535).describe('The port of its sshd.'),
  user: z.string().min(1).describe('Who logs in.'),
  hostKey: z
    .string()
    .regex(/^(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/=]+$/, 'is not a host key such as ssh-ed25519 AAAA...')
    .describe('The pinned host key, as in authorized_keys.'),
}

const identityFile = z.string().min(1).describe('Path of the SSH client key, or `agent`.')
const named = { name: hostName.describe('Its name in the inventory.'), ...place, identityFile }

const jump = z.strictObject(named).meta({ id: 'Jump' })

/** What a host that overlab did not make may need beside. */
const beside = {
  become: z.boolean().exactOptional().describe('Every script runs as root, through `sudo -n`.'),
  jump: jump.exactOptional().describe('The way there: a host whose sshd forwards the connection.'),
}

/** Of many hosts, each under its name; the client key is the same for all that name none. */
export const targetOfMany = z
  .strictObject({ ...place, identityFile: identityFile.exactOptional(), ...beside })
  .meta({ id: 'TargetOfMany' })

/** Of one host, complete. */
export const target = z.strictObject({ ...named, ...beside }).meta({ id: 'Target' })

/** Of one host, as a resource learns it. */
export const reachedTarget = z
  .strictObject({ ...place, identityFile, ...beside })
  .meta({ id: 'ReachedTarget' })

/** How a host answers overlab: from which address, by which link, through which router. */
export const way = z
  .strictObject({
    from: z.string().describe('The address from which overlab reaches the host, as the host sees it.'),
    dev: z.string().describe('The link by which the host answers.'),
    via: z.string().exactOptional().describe('The router through which it answers.'),
  })
  .meta({ id: 'Way' })
