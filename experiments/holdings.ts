/** Asks a host for everything its kernel holds of one kind. */
import { probe } from '../modules/apply.ts'
import type { PlannedHost } from '../overlay/plan.ts'
import { HostError } from '../remote/errors.ts'
import type { Session } from '../remote/session.ts'
import {
  commands,
  isWhole,
  parseHoldings,
  type Holding,
  type Kind,
  type OwnKind,
  type WholeKind,
} from './kinds.ts'

type Planned = Pick<PlannedHost, 'state' | 'beside' | 'lent' | 'nic' | 'iptables'>

/** The entries of one host; one round trip. `planned` says which sysctls and pods are overlab's. @throws HostError */
export async function readHoldings(
  session: Pick<Session, 'target' | 'run'>,
  kind: Kind,
  planned: Planned,
  signal?: AbortSignal,
): Promise<Holding[]> {
  const options = signal ? { signal } : {}
  return isWhole(kind)
    ? everything(session, kind, planned, options)
    : overlabs(session, kind, planned, options)
}

async function everything(
  session: Pick<Session, 'target' | 'run'>,
  kind: WholeKind,
  { state, beside = state, lent }: Planned,
  options: { signal?: AbortSignal },
): Promise<Holding[]> {
  const step = `show ${kind}`
  const place = { host: session.target.name, step, command: commands[kind] }
  const { stdout, stderr, exitCode } = await session.run(commands[kind], { step, ...options })
  if (exitCode !== 0) throw new HostError({ ...place, why: 'the command failed', exitCode, stderr })
  try {
    return parseHoldings(kind, stdout, beside, lent)
  } catch (error) {
    throw new HostError(
      { ...place, why: `the answer is not what was expected: ${(error as Error).message}` },
      { cause: error },
    )
  }
}

async function overlabs(
  session: Pick<Session, 'target' | 'run'>,
  kind: OwnKind,
  { state, beside = state, nic, iptables }: Planned,
  options: { signal?: AbortSignal },
): Promise<Holding[]> {
  const held = await probe(session, { desired: state, prior: {}, facts: { nic, iptables } }, options)
  return Object.entries(held[kind] ?? {}).map(([key, line]) => ({
    entry: kind === 'sysctls' ? `${key} = ${line}` : `${key} ${line}`,
    by: beside[kind]?.[key] === undefined ? 'flanneld or a person' : 'overlab',
    detail: { key, line },
  }))
}
