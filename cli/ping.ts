import { defineCommand } from 'citty'
import { endpoints, measureReach, type Endpoint, type Reach } from '../experiments/reach.ts'
import { createPool } from '../remote/pool.ts'
import { labArgs, labContext, labTargets } from './context.ts'
import { paint, print, printJson, table, type Column } from './output.ts'
import { progress } from './progress.ts'
import { UserError } from './user-error.ts'

export const pingCommand = defineCommand({
  meta: {
    name: 'ping',
    description: 'Every host and pod to every host and pod; a matrix of round-trip times in ms. Exit status 1 if a packet is lost',
  },
  args: {
    ...labArgs,
    count: { type: 'string', description: 'Echo requests a pair', default: '3', valueHint: 'N' },
  },
  async run({ args }) {
    const count = Number(args.count)
    if (!Number.isInteger(count) || count < 1 || count > 1000)
      throw new UserError(`--count ${args.count} is not a number of packets`, 'give 1 to 1000')
    const context = labContext(args)
    const targets = await labTargets(context)
    const pool = createPool()
    const show = progress('ping')
    try {
      const reaches = await measureReach(pool, context.plan, targets, {
        count,
        onProgress: (done, of) => show(`${done} of ${of} hosts`),
      })
      show()
      if (reaches.some((reach) => !isWhole(reach))) process.exitCode = 1
      if (args.json) printJson(reaches)
      else print(report(endpoints(context.plan), reaches))
    } finally {
      await pool.close()
    }
  },
})

function isWhole({ sent, received }: Reach): boolean {
  return sent > 0 && received === sent
}

function report(all: readonly Endpoint[], reaches: readonly Reach[]): string {
  const wide = Math.max(...all.map(({ name }) => name.length)) * (all.length + 1) + 2 * all.length
  const matrix = wide <= (process.stdout.columns ?? 160) ? matrixOf(all, reaches) : byHost(all, reaches)
  const bad = reaches.filter((reach) => !isWhole(reach))
  const lines = bad.slice(0, 20).map((reach) => paint('red', `${reach.from.name} -> ${reach.to.name} (${reach.to.address}): ${lossOf(reach)}`))
  if (bad.length > lines.length) lines.push(`... and ${bad.length - lines.length} more; --json has them all`)
  const verdict = `${reaches.length - bad.length} of ${reaches.length} pairs reach each other without loss`
  return [matrix, '', ...lines, bad.length > 0 ? paint('red', verdict) : paint('green', verdict)].join('\n')
}

function lossOf({ sent, received, notMeasured }: Reach): string {
  return notMeasured ? `not measured: ${notMeasured}` : `${sent - received} of ${sent} lost`
}

/** Rows send, columns answer. */
function matrixOf(all: readonly Endpoint[], reaches: readonly Reach[]): string {
  const cells = new Map(reaches.map((reach) => [`${reach.from.name} ${reach.to.name}`, reach]))
  const columns: Column<Endpoint>[] = [
    { title: 'RTT ms', value: ({ name }) => name },
    ...all.map((to) => ({
      title: to.name,
      align: 'right' as const,
      value: (from: Endpoint) => cellOf(cells.get(`${from.name} ${to.name}`)),
    })),
  ]
  return table(columns, all)
}

function cellOf(reach: Reach | undefined): string {
  if (!reach) return '-'
  if (reach.notMeasured) return paint('red', '?')
  if (!isWhole(reach)) return paint('red', reach.received === 0 ? 'lost' : `${reach.sent - reach.received}/${reach.sent} lost`)
  return reach.rtt!.avg.toFixed(2)
}

/** For labs too large for a matrix: one row a host. */
function byHost(all: readonly Endpoint[], reaches: readonly Reach[]): string {
  const hosts = all.filter(({ kind }) => kind === 'host')
  const of = (host: Endpoint) => reaches.filter(({ from }) => from.host === host.name)
  const rtts = (host: Endpoint) => of(host).flatMap(({ rtt }) => (rtt ? [rtt.avg] : [])).sort((a, b) => a - b)
  return table<Endpoint>(
    [
      { title: 'FROM', value: ({ name }) => `${name} and its pods` },
      { title: 'PAIRS', align: 'right', value: (host) => String(of(host).length) },
      { title: 'WITH LOSS', align: 'right', value: (host) => String(of(host).filter((reach) => !isWhole(reach)).length) },
      { title: 'RTT ms MEDIAN', align: 'right', value: (host) => rtts(host)[rtts(host).length >> 1]?.toFixed(2) ?? '-' },
      { title: 'MAX', align: 'right', value: (host) => rtts(host).at(-1)?.toFixed(2) ?? '-' },
    ],
    hosts,
  )
}
