#!/usr/bin/env node
/** The overlab provider: machines and their kernels' state as Pulumi resources. One process serves a whole operation. */
import { createPool } from '../../remote/pool.ts'
import { serve } from '../server/index.ts'
import { dataPlane } from './data-plane.ts'
import { machine } from './machine.ts'
import { traceTo } from './trace.ts'
import { underlay } from './underlay.ts'

const trace = traceTo(process.env['OVERLAB_TRACE'])
const pool = createPool()

await serve({
  name: 'overlab',
  version: '0.1.0',
  resources: trace.resources(
    {
      'overlab:index:Underlay': underlay,
      'overlab:index:Machine': machine,
      'overlab:index:DataPlane': dataPlane(trace.pool(pool)),
    },
    pool,
  ),
  close: () => pool.close(),
})
trace.started()
