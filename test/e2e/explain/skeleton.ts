/** What of a page of answered questions must be the same in every run: no output, no address of an underlay. */
import { variants } from '../../../experiments/variants/variant.ts'

/** Headings, answers, verdicts, claims and commands; of labs only those named. */
export function skeletonOf(markdown: string, labs: readonly string[]): string[] {
  const others = variants.map(({ name }) => name).filter((name) => !labs.includes(name))
  let isOthers = false
  let inBlock = false
  return markdown.split('\n').flatMap((line) => {
    if (line.startsWith('```')) inBlock = !inBlock
    const piece = /^### \w+ \(([\w-]+)\): /.exec(line)?.[1]
    if (!inBlock && /^##? /.test(line)) isOthers = false
    if (piece !== undefined) isOthers = others.includes(piece)
    if (isOthers && (inBlock || piece !== undefined)) return []
    const isClaim = /^- (yes|NO|\?): /.test(line)
    if (isClaim && others.some((name) => line.includes(`: ${name}: `))) return []
    const isCommand = inBlock && /^([\w-]+ )?\$ /.test(line)
    return isCommand || isClaim || (!inBlock && /^(#|\*\*)/.test(line)) ? [steady(line)] : []
  })
}

/** Addresses of an underlay and the stack of printed commands are a run's own; which host it is stays. */
function steady(line: string): string {
  return line
    .replaceAll(/\b(?!10\.244\.|198\.51\.100\.)\d+\.\d+\.\d+\.(\d+)\b/g, 'underlay.$1')
    .replaceAll(/(\.\/overlab \w+) --stack \S+/g, '$1')
    .replaceAll(/\boverlab-udp-[0-9a-f]+/g, 'overlab-udp')
}
