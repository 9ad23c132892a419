/** How a host is reached, as an input of a resource. */
import { z } from 'zod'
import { hostName } from '../../inventory/values.ts'

const place = {
  host: z.string().min(1),
  port: z.int().min(1).max(65535),
  user: z.string().min(1),
  hostKey: z
    .string()
    .regex(/^(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/=]+$/, 'is not a host key such as ssh-ed25519 AAAA...'),
}

const login = z.strictObject({ name: hostName, ...place, identityFile: z.string().min(1) })

/** What a host that overlab did not make may need beside. */
const beside = {
  become: z.boolean().exactOptional(),
  jump: login.exactOptional(),
}

/** Of many hosts, each under its name; the client key is the same for all that name none. */
export const targetOfMany = z.strictObject({
  ...place,
  identityFile: z.string().min(1).exactOptional(),
  ...beside,
})

/** Of one host, complete. */
export const target = login.extend(beside)
