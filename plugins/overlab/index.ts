#!/usr/bin/env node
/** The overlab provider: machines and their kernels' state as Pulumi resources. One process serves a whole operation. */
import type { Pool } from '../../remote/pool.ts'
import { serve } from '../server/index.ts'
import { lazy } from './lazy.ts'
import { traceTo } from './trace.ts'

/**
 * How long, in ms, a host may take to answer at all. Machines were booted up to SSH before; one that does not answer
 * within this is down, and the other hosts wait for it.
 */
const patienceMs = 8_000
const trace = traceTo(process.env['OVERLAB_TRACE'])
let pool: Pool | undefined

const dataPlane = lazy(async () => {
  const [{ createPool }, { dataPlane }] = await Promise.all([
    import('../../remote/pool.ts'),
    import('./data-plane.ts'),
  ])
  pool = createPool({ overallMs: patienceMs })
  return dataPlane(trace.pool(pool))
})

await serve({
  name: 'overlab',
  version: '0.1.0',
  resources: trace.resources(
    {
      'overlab:index:Underlay': lazy(async () => (await import('./underlay.ts')).underlay),
      'overlab:index:Machine': lazy(async () => (await import('./machine.ts')).machine),
      'overlab:index:DataPlane': dataPlane,
    },
    () => pool,
  ),
  close: () => pool?.close(),
})
trace.started()
