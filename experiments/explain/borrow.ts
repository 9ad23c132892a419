/**
 * Takes something away from a host, or puts something in its way, and sets it right again whatever happens: by the
 * caller at the end, also after Ctrl-C, and where the controller is gone, by a keeper on the host itself.
 */
import { randomBytes } from 'node:crypto'
import { HostError } from '../../remote/errors.ts'
import { heredoc } from '../../remote/heredoc.ts'
import { CannotMeasure } from './measured.ts'
import type { Notes } from './notes.ts'
import { overlabCommand } from '../../tools/command-line.ts'

export interface Borrowed {
  readonly host: string
  /** The shell line that changes the host, as it is shown. */
  readonly take: string
  /** The shell line that sets it right, as it is shown. */
  readonly back: string
  /** What is run in its place, where `back` run twice would do more than once, or fail. */
  readonly backSafely?: string
  /** After so many seconds the keeper sets it right. Default 60. */
  readonly patience?: number
}

/** @throws CannotMeasure where it could not be taken; HostError where it could not be set right */
export async function borrow<T>(
  notes: Notes,
  { host, take, back, backSafely = back, patience = 60 }: Borrowed,
  act: () => Promise<T>,
): Promise<T> {
  const dir = `/run/overlab-explain-${randomBytes(6).toString('hex')}`
  // `backSafely` may hold a text of its own with an end.
  const keeper = `cd ${dir}; trap 'kill $sleep; exit' TERM
sleep ${patience} & sleep=$!
echo $$ >pid; wait $sleep
${backSafely}
rm -rf ${dir}`
  const begin = `mkdir -m 700 ${dir} || exit 1
${heredoc(`cat >${dir}/keeper`, keeper.split('\n')).join('\n')}
setsid sh ${dir}/keeper </dev/null >/dev/null 2>&1 &
until [ -s ${dir}/pid ]; do sleep 0.01; done
${take}`
  const end = `if read -r pid <${dir}/pid; then kill "$pid"; fi 2>/dev/null
${backSafely}
code=$?; rm -rf ${dir}; exit $code`
  const outcome = await taking().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  const { exitCode, output } = await notes.run(host, end, { shown: back, always: true })
  if (exitCode !== 0)
    throw new HostError({
      host,
      step: 'set right',
      why: `\`${back}\` failed`,
      exitCode,
      stderr: output,
      hint: `${overlabCommand('up')} restores it`,
    })
  if ('error' in outcome) throw outcome.error
  return outcome.value

  async function taking(): Promise<T> {
    const taken = await notes.run(host, begin, { shown: take })
    if (taken.exitCode !== 0) throw new CannotMeasure(`${host}: \`${take}\`: ${taken.output.trim()}`)
    return act()
  }
}
