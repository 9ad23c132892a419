/**
 * Rates, times and shares of packets, by tc's own names and units. A quantity is its canonical text, so that an
 * inventory, a row and a kernel's answer that mean the same are equal.
 */
import { z } from 'zod'

/** Bits a second, in the largest unit that leaves a whole number: `100mbit`, `1500kbit`. */
export type Rate = string & z.$brand<'Rate'>
/** To the microsecond, in the largest unit that leaves a whole number: `20ms`, `1500us`. */
export type Duration = string & z.$brand<'Duration'>
/** Percent: `1%`, `0.25%`. */
export type Share = string & z.$brand<'Share'>

const bits = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 }
const microseconds = { us: 1, ms: 1e3, s: 1e6 }

/** What a token bucket of one packet still passes within seconds; what virtual NICs of one computer reach. */
const leastRate = 8e3
const mostRate = 30e9
const longest = 60e6

export const rate = z
  .string()
  .transform((text, context) => {
    const value = valueOf(text, bits)
    if (value === undefined)
      return wrong(context, 'is not a rate; write one such as 100mbit (bit, kbit, mbit, gbit)')
    if (value < leastRate || value > mostRate)
      return wrong(context, `is out of range; use ${rateText(leastRate)} to ${rateText(mostRate)}`)
    return rateText(value)
  })
  .pipe(z.custom<Rate>())

export const duration = z
  .string()
  .transform((text, context) => {
    const value = valueOf(text, microseconds)
    if (value === undefined) return wrong(context, 'is not a time; write one such as 20ms (us, ms, s)')
    if (value < 1 || value > longest)
      return wrong(context, `is out of range; use 1us to ${durationText(longest)}`)
    return durationText(value)
  })
  .pipe(z.custom<Duration>())

export const share = z
  .string()
  .transform((text, context) => {
    const [, number] = /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(text) ?? []
    if (number === undefined) return wrong(context, 'is not a share of the packets; write one such as 1%')
    if (Number(number) === 0 || Number(number) > 100)
      return wrong(context, 'is out of range; use 0.0001% to 100%')
    return shareText(Number(number) / 100)
  })
  .pipe(z.custom<Share>())

export function rateText(bitsASecond: number): Rate {
  return inLargestUnit(bitsASecond, bits) as Rate
}

export function durationText(inMicroseconds: number): Duration {
  return inLargestUnit(inMicroseconds, microseconds) as Duration
}

/** @param part of 1; the kernel keeps it as a fraction of 2^32, so what is finer than 0.0001% is noise */
export function shareText(part: number): Share {
  return `${Number((part * 100).toFixed(4))}%` as Share
}

export function bitsOf(text: Rate): number {
  return valueOf(text, bits)!
}

export function microsecondsOf(text: Duration): number {
  return valueOf(text, microseconds)!
}

/** Whole units of the smallest one; undefined where the text is no such quantity. */
function valueOf(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d{1,6})?)([a-z]+)$/.exec(text.toLowerCase()) ?? []
  return number !== undefined && Object.hasOwn(units, unit)
    ? Math.round(Number(number) * units[unit]!)
    : undefined
}

function inLargestUnit(value: number, units: Readonly<Record<string, number>>): string {
  const [unit, size] = Object.entries(units).findLast(([, size]) => value % size === 0) ?? ['', 1]
  return `${value / size}${unit}`
}

function wrong(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}
