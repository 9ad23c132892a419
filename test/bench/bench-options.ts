/** The words after `npm run bench --`, and what every measurement is given of them. Pure. */
import { parseArgs } from 'node:util'
import { suggestion } from '../../inventory/suggest.ts'

/** For every measurement: how often, when to stop, and who hears of it meanwhile. */
export interface Bench {
  readonly rounds: number
  readonly signal: AbortSignal
  readonly say: (text: string) => void
}

/** In the order in which they run; `image` is measured where it is asked for. */
export const partNames = ['ssh', 'vms', 'data-plane', 'image'] as const
export type PartName = (typeof partNames)[number]

export interface Wish {
  /** Machines of a lab. */
  readonly sizes: readonly number[]
  readonly parts: readonly PartName[]
  readonly rounds: number
  /** Nothing is begun later. */
  readonly minutes: number
  readonly backend: 'vxlan' | 'udp'
  /** Where every sample goes. */
  readonly json?: string
}

export const usage = `npm run bench [-- 3 10 30 50 ssh vms data-plane image --rounds 3 --backend vxlan --minutes 60 --json FILE]

  3 10 30 50    what each operation takes with so many machines
  ssh           an apply to hosts that exist, beside a plain OpenSSH script
  vms           three VMs: from the image to pods that answer, memory, a power cut, throughput
  data-plane    static labs beside flanneld's
  image         the build of the VMs' image, in a folder of its own; only if it is named`

/** Undefined: only the usage is wanted. @throws RangeError for words that mean nothing */
export function readWords(words: readonly string[]): Wish | undefined {
  let parsed
  try {
    parsed = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '3' },
        minutes: { type: 'string', default: '60' },
        json: { type: 'string' },
        backend: { type: 'string', default: 'vxlan' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new RangeError((error as Error).message, { cause: error })
  }
  const { values, positionals } = parsed
  if (values.help) return undefined
  const wanted = positionals.length > 0 ? positionals : ['3', '10', '30', '50', 'ssh', 'vms', 'data-plane']
  const isPart = (word: string) => (partNames as readonly string[]).includes(word)
  const sizes = wanted.filter((word) => !isPart(word)).map(sizeOf)
  const { backend } = values
  if (backend !== 'vxlan' && backend !== 'udp')
    throw new RangeError(`--backend ${backend}: it is vxlan or udp`)
  return {
    sizes,
    parts: partNames.filter((part) => wanted.includes(part)),
    rounds: numberOf('--rounds', values.rounds, 'whole number'),
    minutes: numberOf('--minutes', values.minutes),
    backend,
    ...(values.json !== undefined && { json: values.json }),
  }
}

function sizeOf(word: string): number {
  const size = Number(word)
  if (Number.isInteger(size) && size >= 2 && size <= 200) return size
  throw new RangeError(
    /^-?[\d.]+$/.test(word)
      ? `${word}: a lab of this bench has 2 to 200 machines`
      : `there is no ${word} to measure; ${suggestion(word, partNames)}`,
  )
}

function numberOf(option: string, text: string, kind: 'number' | 'whole number' = 'number'): number {
  const value = Number(text)
  const isFit = kind === 'number' ? Number.isFinite(value) : Number.isInteger(value)
  if (isFit && value > 0) return value
  throw new RangeError(`${option} ${text}: give a ${kind} above 0`)
}
