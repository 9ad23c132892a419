/** Runs commands in a lab and writes down what they printed: the evidence grows as it is gathered. */
import { randomBytes } from 'node:crypto'
import { cut, type Evidence, type Run } from './evidence.ts'
import { CannotMeasure } from './measured.ts'
import { hostOf, type Site } from './site.ts'

export interface Ran {
  /** Both streams, whole. */
  readonly output: string
  readonly exitCode: number
}

export interface RunOptions {
  /** What of the output is shown: the lines that match, or so many; all unless told. */
  readonly keep?: RegExp | number
  /** What is shown in place of the command, where that does more than a reader needs to see. */
  readonly shown?: string
  /** Runs it all the same after the caller gave up: what puts something back. */
  readonly always?: true
  readonly timeoutMs?: number
}

export interface Notes {
  /** What follows is of this lab, under this title. */
  begin(site: Site, kind: Evidence['kind'], title: string): void
  /** On a host or in a pod of the lab; any exit code is a value. @throws HostError */
  run(where: string, command: string, options?: RunOptions): Promise<Ran>
  /** The same, and nothing is noted. */
  quietly(where: string, command: string, options?: RunOptions): Promise<Ran>
  /** Something that was run in another way; before the run of that number of the same piece, where it began earlier. */
  add(run: Run, at?: number): void
  /** While `act` runs: the packets that pass a host's link and match a filter, a line each. @throws CannotMeasure where tcpdump does not listen */
  captured(host: string, link: string, filter: string, act: () => Promise<void>): Promise<string[]>
  readonly evidence: readonly Evidence[]
}

export function createNotes(onProgress: (state: string) => void = () => {}): Notes {
  const evidence: (Evidence & { readonly runs: Run[] })[] = []
  let site: Site | undefined
  const here = (): Site => {
    if (!site) throw new Error('nothing was begun')
    return site
  }
  const add = (run: Run, at?: number): void => {
    const { runs } = evidence.at(-1)!
    runs.splice(at ?? runs.length, 0, run)
  }

  async function quietly(
    where: string,
    command: string,
    { always, timeoutMs = 60_000 }: RunOptions = {},
  ): Promise<Ran> {
    const host = hostOf(here(), where)
    const session = await here().session(host.name)
    const inside = where === host.name ? '' : `ip netns exec ${where} `
    const end = `end-${randomBytes(6).toString('hex')}`
    const script = `${inside}sh <<'${end}' 2>&1\n${command}\n${end}`
    const { stdout, exitCode } = await session.run(script, {
      step: 'explain',
      timeoutMs,
      ...(always ? {} : { signal: here().signal }),
    })
    return { output: stdout, exitCode }
  }

  async function run(where: string, command: string, options: RunOptions = {}): Promise<Ran> {
    const ran = await quietly(where, command, options)
    add({ where, command: options.shown ?? command, output: cut(ran.output, options.keep) })
    return ran
  }

  return {
    evidence,
    begin(of, kind, title) {
      site = of
      onProgress(title)
      evidence.push({ kind, title, lab: of.name, runs: [] })
    },
    run,
    quietly,
    add,
    async captured(host, link, filter, act) {
      const capture = captureScripts(link, filter)
      const { output } = await quietly(host, capture.begin)
      if (!output.includes('listening on'))
        throw new CannotMeasure(
          `${host}: tcpdump does not listen on ${link}: ${output.trim() || 'it is not there'}`,
        )
      const at = evidence.at(-1)!.runs.length
      let lines: string[]
      try {
        await act()
      } finally {
        const ended = await quietly(host, capture.end, { always: true })
        lines = ended.output.split('\n').filter(Boolean)
      }
      // It began before what went on meanwhile.
      add(
        {
          where: host,
          command: `tcpdump -n -q -i ${link} '${filter}'`,
          output: lines.length > 0 ? cut(lines.join('\n'), shownPackets) : '(no packet)',
        },
        at,
      )
      return lines
    },
  }
}

/** Of a capture so many are shown. */
const shownPackets = 6

/** Captures end by themselves after so many seconds, whatever becomes of the controller. */
const captureSeconds = 60

function captureScripts(link: string, filter: string): { begin: string; end: string } {
  const dir = `/run/overlab-explain-${randomBytes(6).toString('hex')}`
  return {
    begin: `mkdir -m 700 ${dir} && cd ${dir} || exit 1
cat >keeper <<'END'
timeout ${captureSeconds} tcpdump -Z root --immediate-mode -n -q -l -t -c 1000 -i ${link} '${filter}' >lines 2>said & tcpdump=$!
trap 'kill $tcpdump; wait $tcpdump; exit' TERM
echo $$ >pid; wait; sleep 5; rm -rf ${dir}
END
setsid sh keeper </dev/null >/dev/null 2>&1 &
n=0; until grep -Eqs 'listening on|: .*:|not found' said || [ $n -ge 150 ]; do n=$((n + 1)); sleep 0.02; done
cat said`,
    end: `cd ${dir} 2>/dev/null || exit 0
sleep 0.1; read -r pid <pid; kill "$pid" 2>/dev/null
n=0; while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.02; done
cat lines; rm -rf ${dir}`,
  }
}
