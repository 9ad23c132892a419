import { isObject } from '../server/index.ts'
import type { Value, Values } from '../server/index.ts'

/** One host to dial. Absent values are `undefined`; the defaults are those of the schema. */
export interface Hop {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | undefined
  /** The private key itself, not its path. */
  readonly privateKey: string | undefined
  readonly privateKeyPassword: string | undefined
  readonly agentSocketPath: string | undefined
  /** `ssh-ed25519 AAAA...`; without one, any host key is accepted. */
  readonly hostKey: string | undefined
  /** Failed dials after the first one that are allowed; -1: no limit. */
  readonly dialErrorLimit: number
  /** Seconds for one dial; 0: no limit. */
  readonly perDialTimeout: number
}

export interface Connection extends Hop {
  readonly proxy: Hop | undefined
}

/** The schema's defaults of a connection, and of a proxy. */
export const hopDefaults = { port: 22, user: 'root', dialErrorLimit: 10, perDialTimeout: 15 } as const

/** Reads a `connection` that has been checked; state written before a default existed gets it here. */
export function parseConnection(value: Value | undefined): Connection {
  const connection = isObject(value) ? value : {}
  return {
    ...parseHop(connection),
    proxy: isObject(connection.proxy) ? parseHop(connection.proxy) : undefined,
  }
}

function parseHop(values: Values): Hop {
  const text = (key: string) =>
    typeof values[key] === 'string' && values[key] !== '' ? values[key] : undefined
  const number = (key: string, otherwise: number) =>
    typeof values[key] === 'number' ? values[key] : otherwise
  return {
    host: text('host') ?? '',
    port: number('port', hopDefaults.port),
    user: text('user') ?? hopDefaults.user,
    password: text('password'),
    privateKey: text('privateKey'),
    privateKeyPassword: text('privateKeyPassword'),
    agentSocketPath: text('agentSocketPath'),
    hostKey: text('hostKey'),
    dialErrorLimit: number('dialErrorLimit', hopDefaults.dialErrorLimit),
    perDialTimeout: number('perDialTimeout', hopDefaults.perDialTimeout),
  }
}
