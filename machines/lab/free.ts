/** A network for one more lab. Looking needs no root, and takes nothing: who creates the underlay first has it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'
import { parseAnswer } from '../../inventory/json.ts'
import type { Cidr } from '../../inventory/values.ts'
import { HostError } from '../../remote/errors.ts'
import { freeNetwork, kernelRoute, linkAddresses, takenNetworks } from './conflict.ts'
import { labNames, readLab } from './records.ts'
import { path } from './script.ts'

const run = promisify(execFile)

/**
 * A /24 that no lab, address or route of this machine overlaps, and none of `avoid`.
 * @param start where to begin to look, so that two who look at the same time need not find the same
 * @throws HostError where there is none
 */
export async function freeUnderlay(avoid: readonly string[], start = 0): Promise<Cidr> {
  const ask = async <T>(entry: z.ZodType<T>, ...words: string[]): Promise<T[]> => {
    const { stdout } = await run('ip', ['-4', '-j', ...words], { env: { PATH: path } })
    return parseAnswer(z.array(entry), stdout || '[]', `\`ip -4 -j ${words.join(' ')}\``)
  }
  const [addresses, routes, labs] = await Promise.all([
    ask(linkAddresses, 'address'),
    ask(kernelRoute, 'route', 'show', 'table', 'all'),
    labNames().then((names) => Promise.all(names.map(readLab))),
  ])
  const taken = takenNetworks({
    addresses,
    routes,
    labs: labs.filter((lab) => lab !== undefined),
  })
  const free = freeNetwork([...taken, ...avoid], start)
  if (free) return free
  throw new HostError({
    host: 'this machine',
    step: 'free underlay',
    why: 'every /24 from 192.168.77.0 to 192.168.254.0 and of 172.31.0.0/16 is in use',
    hint: 'destroy labs that are not needed: `npx pulumi stack ls` lists the stacks, and each `destroy --stack NAME` frees one',
  })
}
