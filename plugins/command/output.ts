import { StringDecoder } from 'node:string_decoder'
import type { Log } from '../server/index.ts'

/** Which of a command's outputs go to Pulumi's log. */
export type Logging = 'none' | 'stdout' | 'stderr' | 'stdoutAndStderr'

export interface Output {
  readonly stdout: string
  readonly stderr: string
  /** Both, in the order in which they came: what an error shows. */
  readonly both: string
}

export interface Collector {
  stdout(chunk: Buffer): void
  stderr(chunk: Buffer): void
  end(): Output
}

/**
 * Collects a command's outputs as bytes, decoded once, and logs every line as soon as it is whole. In stdout and
 * stderr the last newline is taken off.
 */
export function collect(log: Log, logging: Logging = 'stdoutAndStderr'): Collector {
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[], both: [] as Buffer[] }
  const logged = (stream: 'stdout' | 'stderr') => logging === stream || logging === 'stdoutAndStderr'
  const lines = {
    stdout: logged('stdout') ? splitLines((line) => log.status(line)) : undefined,
    stderr: logged('stderr') ? splitLines((line) => log.status(line)) : undefined,
  }
  const put = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    chunks[stream].push(chunk)
    chunks.both.push(chunk)
    lines[stream]?.write(chunk)
  }
  const text = (stream: keyof typeof chunks) => Buffer.concat(chunks[stream]).toString('utf8')
  return {
    stdout: put('stdout'),
    stderr: put('stderr'),
    end() {
      lines.stdout?.end()
      lines.stderr?.end()
      return { stdout: chomp(text('stdout')), stderr: chomp(text('stderr')), both: text('both') }
    },
  }
}

function chomp(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text
}

function splitLines(line: (text: string) => void) {
  const decoder = new StringDecoder('utf8')
  let rest: string[] = []
  return {
    write(chunk: Buffer) {
      const parts = decoder.write(chunk).split('\n')
      const last = parts.pop() ?? ''
      for (const part of parts) {
        line((rest.join('') + part).replace(/\r$/, ''))
        rest = []
      }
      if (last !== '') rest.push(last)
    },
    end() {
      const last = rest.join('') + decoder.end()
      if (last !== '') line(last)
    },
  }
}
