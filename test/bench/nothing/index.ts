/**
 * A plugin with overlab's resources that touches no machine. With the file `wiped` in the working folder it reads
 * every host as empty, so that an up carries the same rows through the engine as a real push.
 */
import { existsSync } from 'node:fs'
import { serve, type ResourceHandlers } from '../../../plugins/server/index.ts'

/** The engine starts a plugin in the project's folder or in the plugin's own: the bench says which file by name. */
const mark = process.env['OVERLAB_BENCH_WIPED'] ?? ''

const learnt = {
  'overlab:index:Underlay': { controller: '10.0.0.1', identityFile: '/dev/null' },
  'overlab:index:Machine': { port: 22, user: 'root', hostKey: 'ssh-ed25519 AAAA' },
  'overlab:index:DataPlane': {},
}

await serve({
  name: 'overlab',
  version: '0.1.0',
  resources: Object.fromEntries(
    Object.entries(learnt).map(([type, more]): [string, ResourceHandlers] => [
      type,
      {
        create: (news, { name }) => Promise.resolve({ id: name, outputs: { ...news, ...more } }),
        read: (id, state, inputs) => {
          const empty = type.endsWith('DataPlane') && existsSync(mark) ? { hosts: {} } : {}
          return Promise.resolve({ id, outputs: { ...state, ...empty }, inputs: { ...inputs, ...empty } })
        },
        update: (_id, _olds, news) => Promise.resolve({ ...news, ...more }),
        delete: () => Promise.resolve(),
      },
    ]),
  ),
})
