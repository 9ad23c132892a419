/** A look at a host that exists: what is found there, and whether it is fit. */
import type { BackendType, SshAccess } from '../../inventory/inventory.ts'
import { HostError } from '../../remote/errors.ts'
import type { Pool } from '../../remote/pool.ts'
import type { Target } from '../../remote/target.ts'
import { factsScript, parseFacts, type Facts } from './facts.ts'
import { judge, type Verdict, type Wanted } from './judge.ts'
import { targetOf } from './target.ts'

export interface Look {
  readonly target: Target
  readonly facts: Facts
  readonly verdict: Verdict
}

const tools = ['ip', 'bridge', 'iptables', 'iptables-save', 'iptables-restore', 'ping']
const toolsOf: Readonly<Record<BackendType, readonly string[]>> = {
  vxlan: [],
  'host-gw': [],
  udp: ['tc', 'bpftool'],
}

/** One round trip. @throws HostError where the host cannot be reached, or asked as root */
export async function lookAt(
  pool: Pool,
  host: {
    readonly name: string
    readonly access: SshAccess
    readonly backend: BackendType
    readonly wanted: Wanted
    readonly folder: string
    /** A command that succeeds where the kernel has fou and ipip. */
    readonly fou: string
  },
  signal?: AbortSignal,
): Promise<Look> {
  const { name, backend, wanted, folder, fou } = host
  const target = await targetOf(name, host.access)
  const session = await pool.session(target)
  const script = factsScript({
    tools: [...tools, ...toolsOf[backend]],
    kinds: ['bridge', 'veth', ...(backend === 'vxlan' ? ['vxlan'] : [])],
    fou,
    folder,
  })
  const from = Date.now()
  const { stdout, stderr, exitCode } = await session.run(script, { step: 'check', ...(signal && { signal }) })
  const now = (from + Date.now()) / 2000
  let facts
  try {
    facts = parseFacts(stdout)
  } catch (error) {
    throw new HostError(
      { host: name, step: 'check', why: (error as Error).message, exitCode, stderr },
      { cause: error },
    )
  }
  return { target, facts, verdict: judge(facts, wanted, now) }
}

/** All lacks as one message. */
export function lackText(name: string, lacks: readonly string[]): string {
  return lacks.length === 1
    ? `${name}: check: ${lacks[0]}`
    : [`${name}: check: ${lacks.length} things are in the way:`, ...lacks.map((lack) => `  - ${lack}`)].join(
        '\n',
      )
}
