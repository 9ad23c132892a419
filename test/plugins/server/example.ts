import { PartialFailure, serve } from '../../../plugins/server/index.ts'

// A plugin with one type that does what its input `act` says.
await serve({
  name: 'example',
  version: '3.2.1',
  configure(config) {
    if (config.wrong) throw new Error('the configuration is wrong')
  },
  resources: {
    'example:index:Thing': {
      check: (_olds, news) => ({
        inputs: { size: 1, ...news },
        failures:
          news.bad === undefined ? [] : [{ property: 'hosts.node1', reason: `no such host${said(news)}` }],
      }),
      async create(news, context) {
        if (news.act === 'half') {
          throw new PartialFailure({
            id: 'half-id',
            outputs: { ...news, done: ['node1'] },
            reasons: ['node2: down', `node3: down${said(news)}`],
          })
        }
        if (news.act === 'escape') {
          setImmediate(() => {
            throw new Error('escaped')
          })
          await new Promise(() => {})
        }
        if (news.act === 'wait') {
          context.log.status('waiting')
          await new Promise((_, reject) =>
            context.signal.addEventListener('abort', () => reject(context.signal.reason as Error)),
          )
        }
        if (news.act === 'fail') throw new Error(`plain words${said(news)}`)
        const { name, type, preview } = context
        context.log.warning(`made${said(news)}`)
        return { id: 'id', outputs: { ...news, name, type, preview } }
      },
      read: async (_id, state) => (state.gone ? undefined : { outputs: { ...state, live: true } }),
      async delete() {
        throw new Error('still in use')
      },
    },
  },
  close: () => void process.stderr.write(''),
})

/** What a host said, where the test lets one say something. */
function said({ said }: Readonly<Record<string, unknown>>): string {
  return typeof said === 'string' ? said : ''
}
