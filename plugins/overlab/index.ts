#!/usr/bin/env node
/** The overlab provider: machines and their kernels' state as Pulumi resources. One process serves a whole operation. */
import { createPool } from '../../remote/pool.ts'
import { serve } from '../server/index.ts'
import { dataPlane } from './data-plane.ts'
import { etcdKeys } from './etcd-keys.ts'
import { machine } from './machine.ts'
import { service } from './service.ts'
import { sharedFile } from './shared-file.ts'
import { underlay } from './underlay.ts'

const pool = createPool()

await serve({
  name: 'overlab',
  version: '0.1.0',
  resources: {
    'overlab:index:Underlay': underlay,
    'overlab:index:Machine': machine,
    'overlab:index:DataPlane': dataPlane(pool),
    'overlab:index:SharedFile': sharedFile,
    'overlab:index:Service': service(pool),
    'overlab:index:EtcdKeys': etcdKeys(pool),
  },
  close: () => pool.close(),
})
