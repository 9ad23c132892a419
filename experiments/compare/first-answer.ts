/** How long it takes until an address answers for the first time. Pure. */
import { inside, type End } from './end.ts'

/** Asks 20 times a second, and ends with the first answer or after `seconds`. */
export function firstAnswerScript(from: End, to: End, seconds: number): string {
  return `export LC_ALL=C
start=$(date +%s.%N)
first=$(timeout ${seconds} ${inside(from)}ping -n -D -i 0.05 ${to.address} 2>/dev/null | grep -m 1 'bytes from')
echo "start $start first $first"
`
}

/** Seconds; undefined where no answer came. */
export function parseFirstAnswer(output: string): number | undefined {
  const found = /^start ([\d.]+) first \[([\d.]+)\] /m.exec(output)
  return found ? Number(found[2]) - Number(found[1]) : undefined
}
