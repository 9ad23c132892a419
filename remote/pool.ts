import pLimit from 'p-limit'
import { HostError } from './errors.ts'
import { closed } from './failures.ts'
import { openSession, type Session, type SessionOptions, wireOf } from './session.ts'
import type { Target } from './target.ts'

export interface Pool {
  /**
   * The one open session of a host, connected on first use. Concurrent callers share it; a broken one is
   * replaced at the next call. A host is everything in its target: another key or port is another host.
   *
   * @throws HostError of step `connect`
   */
  session(target: Target): Promise<Session>
  /**
   * A session by a new connection, which takes the place of the one that was: proof that the host can still be reached.
   *
   * @throws HostError of step `connect`
   */
  renew(target: Target): Promise<Session>
  /** Connections made so far. */
  readonly connects: number
  /** Commands run so far, over all sessions. */
  readonly roundTrips: number
  /** Ends every session, those being connected too. */
  close(): Promise<void>
}

export interface PoolOptions extends Omit<SessionOptions, 'signal' | 'turn' | 'share' | 'onIdle'> {
  /** Attempts to connect at once, over all hosts. Default 32. */
  readonly connects?: number
  /** A session without work for so long is closed, in ms. Default 60 s; 0 keeps it. */
  readonly idleMs?: number
}

/** A session silent for longer than this is asked for a sign of life before it is given out: its machine may have been rebooted. */
const trustMs = 1_000
const proofMs = 3_000

interface Entry {
  session: Promise<Session>
  /** Set once connected. */
  open?: Session
  idle?: NodeJS.Timeout
}

export function createPool({ connects: atOnce = 32, idleMs = 60_000, ...options }: PoolOptions = {}): Pool {
  const entries = new Map<string, Entry>()
  const turns = pLimit(atOnce)
  const stop = new AbortController()
  let connects = 0
  /** Of sessions that are no longer in `entries`. */
  let pastRoundTrips = 0

  const drop = (key: string, entry: Entry) => {
    clearTimeout(entry.idle)
    if (entries.get(key) !== entry) return
    entries.delete(key)
    pastRoundTrips += entry.open?.roundTrips ?? 0
  }

  const retire = async (key: string, entry: Entry) => {
    drop(key, entry)
    await entry.open?.close()
  }

  const rest = (key: string, entry: Entry) => {
    clearTimeout(entry.idle)
    if (idleMs === 0 || entries.get(key) !== entry) return
    entry.idle = setTimeout(() => {
      if (entry.open && wireOf(entry.open).running === 0) void retire(key, entry)
    }, idleMs)
  }

  const connect = (key: string, target: Target): Entry => {
    const open = async () => {
      const session = await openSession(target, {
        ...options,
        signal: stop.signal,
        turn: (attempt) => turns(attempt),
        share: async (jump) => {
          const wire = wireOf(await sessionOf(jump))
          return { connection: wire.connection, release: wire.hold() }
        },
        onIdle: () => rest(key, entry),
      })
      connects++
      entry.open = session
      wireOf(session).connection.onEnd(() => drop(key, entry))
      rest(key, entry)
      return session
    }
    const entry: Entry = { session: open() }
    entries.set(key, entry)
    entry.session.catch(() => drop(key, entry))
    return entry
  }

  /** Gives the entry's session if its host still answers, and a new one if not; callers meanwhile share the answer. */
  const verify = (key: string, target: Target, entry: Entry, session: Session): Promise<Session> => {
    const verified = answers(session).then((alive) => {
      if (alive) return session
      void retire(key, entry)
      return (entries.get(key) ?? connect(key, target)).session
    })
    entry.session = verified
    return verified
  }

  async function sessionOf(target: Target): Promise<Session> {
    if (stop.signal.aborted) throw new HostError(closed(target, 'connect'))
    const key = keyOf(target)
    const entry = entries.get(key)
    if (!entry) return connect(key, target).session
    const { open } = entry
    if (!open) return entry.session
    const wire = wireOf(open)
    clearTimeout(entry.idle)
    if (wire.running === 0) rest(key, entry)
    if (wire.running > 0 || performance.now() - wire.lastAlive < trustMs) return entry.session
    return verify(key, target, entry, open)
  }

  return {
    get connects() {
      return connects
    },
    get roundTrips() {
      return pastRoundTrips + entries.values().reduce((sum, { open }) => sum + (open?.roundTrips ?? 0), 0)
    },
    session: sessionOf,
    async renew(target) {
      if (stop.signal.aborted) throw new HostError(closed(target, 'connect'))
      const key = keyOf(target)
      const entry = entries.get(key)
      if (entry) void retire(key, entry)
      return connect(key, target).session
    },
    async close() {
      stop.abort()
      await Promise.allSettled(
        [...entries].map(async ([key, entry]) => {
          await entry.session.catch(() => {})
          await retire(key, entry)
        }),
      )
    },
  }
}

function keyOf(target: Target): string {
  return JSON.stringify(Object.entries(target).sort())
}

/** True if the host answers at all. Its answer is a refusal: no such forwarding is there to be taken back. */
function answers(session: Session): Promise<boolean> {
  const { connection } = wireOf(session)
  return new Promise((resolve) => {
    let forget = (): unknown => undefined
    const timer = setTimeout(() => tell(false), proofMs)
    const tell = (alive: boolean) => {
      clearTimeout(timer)
      forget()
      resolve(alive)
    }
    forget = connection.onEnd(() => tell(false))
    try {
      connection.client.unforwardIn('127.0.0.1', 1, () => tell(connection.ended() === undefined))
    } catch {
      tell(false)
    }
  })
}
