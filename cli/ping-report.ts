/** Pure: who reaches whom, as a matrix; as a row a host where the matrix would be too wide. */
import { stripVTControlCharacters } from 'node:util'
import type { Endpoint, Reach } from '../experiments/reach.ts'
import { paint, table, type Column } from './output.ts'

/** Every packet came back. Nothing sent is not whole. */
export function isWhole({ sent, received }: Reach): boolean {
  return sent > 0 && received === sent
}

/** Failing pairs that are told one by one. */
const mostTold = 20
/** Where standard output is no terminal. */
const widthOfFiles = 200

export function report(
  all: readonly Endpoint[],
  reaches: readonly Reach[],
  columns = process.stdout.isTTY ? process.stdout.columns || 80 : widthOfFiles,
): string {
  const bad = reaches.filter((reach) => !isWhole(reach))
  const told = toldPairs(bad)
  const verdict = `${reaches.length - bad.length} of ${reaches.length} pairs reach each other without loss`
  return [
    drawn(all, reaches, columns),
    '',
    ...told.map((line) => paint('red', line)),
    paint(bad.length > 0 ? 'red' : 'green', verdict),
  ].join('\n')
}

/** One line a pair; one line for all that was not measured for one reason, such as a host that is down. */
function toldPairs(bad: readonly Reach[]): string[] {
  const silent = Map.groupBy(
    bad.filter(({ notMeasured }) => notMeasured),
    ({ notMeasured }) => notMeasured,
  )
  const lines = [...silent].map(([why, [first, ...others]]) => {
    const pair = `${first!.from.name} -> ${first!.to.name}`
    return `${pair}${others.length > 0 ? ` and ${others.length} more` : ''}: not measured: ${why}`
  })
  for (const { from, to, sent, received, notMeasured } of bad)
    if (!notMeasured)
      lines.push(`${from.name} -> ${to.name} (${to.address}): ${sent - received} of ${sent} lost`)
  const more = lines.length - mostTold
  return more > 0 ? [...lines.slice(0, mostTold), `... and ${more} more; --json has them all`] : lines
}

/** The widest form that fits: a matrix with names above its columns, with numbers, or a row a host. */
function drawn(all: readonly Endpoint[], reaches: readonly Reach[], columns: number): string {
  const named = matrixOf(
    all,
    reaches,
    ({ name }) => name,
    ({ name }) => name,
  )
  if (fits(named, columns)) return named
  const number = (endpoint: Endpoint) => String(all.indexOf(endpoint) + 1)
  const numbered = matrixOf(all, reaches, (from) => `${number(from).padStart(2)} ${from.name}`, number)
  return fits(numbered, columns) ? numbered : byHost(all, reaches)
}

function fits(text: string, columns: number): boolean {
  return text.split('\n').every((line) => stripVTControlCharacters(line).length <= columns)
}

/** Rows send, columns answer. */
function matrixOf(
  all: readonly Endpoint[],
  reaches: readonly Reach[],
  row: (from: Endpoint) => string,
  title: (to: Endpoint) => string,
): string {
  const cells = new Map(reaches.map((reach) => [`${reach.from.name} ${reach.to.name}`, reach]))
  const columns: Column<Endpoint>[] = [
    { title: 'RTT ms', value: row },
    ...all.map((to) => ({
      title: title(to),
      align: 'right' as const,
      value: (from: Endpoint) => cellOf(cells.get(`${from.name} ${to.name}`)),
    })),
  ]
  return table(columns, all, Infinity)
}

function cellOf(reach: Reach | undefined): string {
  if (!reach) return '-'
  if (reach.notMeasured) return paint('red', '?')
  if (!isWhole(reach))
    return paint('red', reach.received === 0 ? 'lost' : `lost ${reach.sent - reach.received}`)
  return reach.rtt ? reach.rtt.avg.toFixed(2) : 'ok'
}

/** For labs too large for a matrix: one row a host. */
function byHost(all: readonly Endpoint[], reaches: readonly Reach[]): string {
  const rows = [...Map.groupBy(reaches, ({ from }) => from.host)].map(([host, from]) => ({
    host,
    pairs: from.length,
    lost: from.filter((reach) => !reach.notMeasured && !isWhole(reach)).length,
    notMeasured: from.filter((reach) => reach.notMeasured).length,
    rtts: from.flatMap(({ rtt }) => (rtt ? [rtt.avg] : [])).sort((a, b) => a - b),
  }))
  type Row = (typeof rows)[number]
  const number = (title: string, value: (row: Row) => string) => ({ title, align: 'right' as const, value })
  const alarm = (count: number) => (count > 0 ? paint('red', String(count)) : '0')
  return table<Row>(
    [
      { title: 'FROM', value: ({ host }) => `${host} and its pods` },
      number('PAIRS', ({ pairs }) => String(pairs)),
      number('WITH LOSS', ({ lost }) => alarm(lost)),
      number('NOT MEASURED', ({ notMeasured }) => alarm(notMeasured)),
      number('MEDIAN ms', ({ rtts }) => rtts[rtts.length >> 1]?.toFixed(2) ?? '-'),
      number('MAX ms', ({ rtts }) => rtts.at(-1)?.toFixed(2) ?? '-'),
    ],
    rows,
  )
}
