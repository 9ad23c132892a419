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
const patienceMs = 20_000
const trace = traceTo(process.env['OVERLAB_TRACE'])
let pool: Pool | undefined

/** One connection a host, shared by all resources that talk to hosts. */
async function openPool(): Promise<Pool> {
  const { createPool } = await import('../../remote/pool.ts')
  return trace.pool((pool ??= createPool({ overallMs: patienceMs })))
}

const name = 'overlab'
const version = '0.1.0'

await serve({
  name,
  version,
  schema: async () => (await import('./schema.ts')).packageSchema(name, version),
  resources: trace.resources(
    {
      'overlab:index:Underlay': lazy(async () => (await import('./underlay.ts')).underlay),
      'overlab:index:Machine': lazy(async () => (await import('./machine.ts')).machine),
      'overlab:index:SshHost': lazy(async () => (await import('./ssh-host.ts')).sshHost(await openPool())),
      'overlab:index:DataPlane': lazy(async () =>
        (await import('./data-plane.ts')).dataPlane(await openPool()),
      ),
      'overlab:index:Kernels': lazy(async () => (await import('./kernels.ts')).kernels(await openPool())),
      'overlab:index:SharedFile': lazy(async () => (await import('./shared-file.ts')).sharedFile),
      'overlab:index:Service': lazy(async () => (await import('./service.ts')).service(await openPool())),
      'overlab:index:EtcdKeys': lazy(async () => (await import('./etcd-keys.ts')).etcdKeys(await openPool())),
    },
    () => pool,
  ),
  close: () => pool?.close(),
})
trace.started()
