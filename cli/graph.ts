import { extname } from 'node:path'
import { Option, type Command } from 'commander'
import { dotOf } from '../experiments/graph/dot.ts'
import { graphMermaidOf } from '../experiments/graph/mermaid.ts'
import { graphOf, type LabGraph } from '../experiments/graph/model.ts'
import { quote } from '../remote/quote.ts'
import { overlabCommand } from '../tools/command-line.ts'
import { labContext } from './context.ts'
import { addExamples } from './help.ts'
import { quietOption, stackOption } from './lab-options.ts'
import { print } from './output.ts'
import { checkEnding, writeOutput } from './output-file.ts'
import { plannedLab } from './planned.ts'

const formats = {
  // Graphviz costs a tenth of a second; the others do without it.
  svg: async (graph) => (await import('../experiments/graph/svg.ts')).svgOf(graph),
  mermaid: graphMermaidOf,
  dot: dotOf,
} as const satisfies Record<string, (graph: LabGraph) => string | Promise<string>>
type Format = keyof typeof formats

/** What the file's name tells where --format does not. */
const endings: Readonly<Record<string, Format>> = {
  '.svg': 'svg',
  '.mmd': 'mermaid',
  '.mermaid': 'mermaid',
  '.dot': 'dot',
  '.gv': 'dot',
}

export function graphVerb(command: Command): void {
  command
    .description(
      "Every host with its pods behind cni0, the backend's device and the NIC; the underlay; and the ways between the hosts with their outer header. From the inventory alone. An SVG is readable in light and in dark; of more than 4 hosts, the tunnels are told together.",
    )
    .addOption(stackOption)
    .addOption(quietOption)
    .addOption(
      new Option(
        '-f, --format <FORMAT>',
        "svg, mermaid (for a page on GitHub) or dot (for Graphviz); else by FILE's ending, else svg",
      ).choices(Object.keys(formats)),
    )
    .option('-o, --output <FILE>', 'Write it there; else to standard output')
    .action(graph)
  addExamples(command, [
    ['./overlab graph --output lab.svg', 'a picture of the selected lab'],
    ['./overlab graph --stack udp --format mermaid', 'a diagram for a page'],
    ['./overlab graph -f dot', "Graphviz's language, to be changed or laid out otherwise"],
  ])
}

interface Options {
  readonly stack?: string
  readonly format?: Format
  readonly output?: string
}

async function graph({ format, output, ...options }: Options): Promise<void> {
  const { inventory } = labContext(options)
  // Who says --format means it, whatever the name.
  if (output !== undefined && format === undefined)
    checkEnding(output, '--output', Object.keys(endings), 'SVG, Mermaid or dot', otherwise(output))
  const chosen = format ?? endings[extname(output ?? '').toLowerCase()] ?? 'svg'
  const text = (await formats[chosen](graphOf(plannedLab(inventory)))).trimEnd()
  if (output === undefined) print(text)
  else writeOutput(output, `${text}\n`, '--output')
}

/** Pictures that Graphviz's `dot` makes of our dot. */
const graphvizMakes = ['.png', '.jpg', '.jpeg', '.gif', '.webp', '.pdf', '.ps', '.eps']

/** What makes a file of that name. */
function otherwise(output: string): string {
  const ending = extname(output).toLowerCase()
  if (!graphvizMakes.includes(ending))
    return `choose a name that ends in ${Object.keys(endings).join(', ')}, or say --format`
  // Without a colour the background is transparent, and the dark text cannot be read on a dark page.
  const dot = `dot -T${ending.slice(1)} -Gbgcolor=white -o ${quote(output)}`
  return `${overlabCommand('graph --format dot')} | ${dot} makes it (apt-get install graphviz)`
}
