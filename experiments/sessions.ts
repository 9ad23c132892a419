/** SSH sessions to the machines of a lab that is up, by their names. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Name } from '../inventory/values.ts'
import { listMachines } from '../machines/drivers.ts'
import { HostError } from '../remote/errors.ts'
import { createPool } from '../remote/pool.ts'
import type { Session } from '../remote/session.ts'
import { overlabCommand } from '../tools/command-line.ts'

export interface Sessions {
  /** @throws HostError where the host can not be reached; at once where its machine does not run */
  readonly session: (host: string) => Promise<Session>
  readonly close: () => Promise<void>
}

/** A person waits: a machine that runs answers in a fraction of a second, a VM on a busy computer in some. */
const patience = 15_000
/** For so long, in ms, what was read of the machines stands: who asks for all hosts of a lab reads once. */
const fresh = 500

/** After an interrupt a session is waited for so long, in ms: one that is open is needed to end what runs on its host. */
const farewell = 1000

/** `signal` ends the wait for a connection; what runs already ends by its own signal, which needs the connection. */
export function labSessions(lab: Name, signal?: AbortSignal, patienceMs = patience): Sessions {
  const pool = createPool({ attemptMs: patienceMs, overallMs: patienceMs })
  const interrupted = Promise.withResolvers<void>()
  signal?.addEventListener('abort', () => interrupted.resolve(), { once: true })
  if (signal?.aborted) interrupted.resolve()
  const gaveUp = () => interrupted.promise.then(() => sleep(farewell, 'gave up' as const, { ref: false }))
  let read: { readonly at: number; readonly machines: ReturnType<typeof listMachines> } | undefined
  return {
    async session(host) {
      const now = performance.now()
      if (!read || now - read.at > fresh) read = { at: now, machines: listMachines(lab) }
      const machine = (await read.machines).get(host)
      if (!machine)
        throw new HostError({
          host,
          step: 'connect',
          why: `it is in the inventory, but not in the running lab ${lab}`,
          hint: `${overlabCommand('up')} takes it in`,
        })
      // One that exists is taken to run; connecting tells.
      if (!machine.running)
        throw new HostError({
          host,
          step: 'connect',
          why: 'its machine does not run',
          hint: `${overlabCommand('up')} boots it`,
        })
      const session = await Promise.race([pool.session(machine.target), gaveUp()])
      if (session === 'gave up') throw new HostError({ host, step: 'connect', why: 'was interrupted' })
      return session
    },
    close: () => pool.close(),
  }
}
