/** The command line in commander's words: its verbs, each declared by its own file when it is asked for. */
import { Argument, Command } from 'commander'
import { overlabVersion } from '../tools/versions.ts'
import { addExamples } from './help.ts'
import { paint, width } from './output.ts'
import { verbs } from './verbs.ts'
import { overlabName } from '../tools/command-line.ts'

/** Parses and runs with `parseAsync`; a CommanderError says what is wrong, or that the help was shown (`exitCode` 0). */
export function program(): Command {
  const command = new Command(overlabName())
    .description("Container overlay labs (flannel's vxlan, host-gw, udp) that run without a daemon.")
    .usage('VERB [options] [WORDS...]')
    .version(overlabVersion, '-v, --version', "overlab's version")
    .helpOption('-h, --help', 'This text')
    .configureHelp({
      minWidthToWrap: 20,
      styleTitle: (title) => paint('bold', title),
      commandDescription: (of) =>
        [of.summary() && `${of.summary()}.`, of.description()].filter(Boolean).join('\n\n'),
    })
    // One place says what is wrong: main.ts.
    .configureOutput({ getOutHelpWidth: () => width(100), outputError: () => {} })
    .exitOverride()
    // What stands behind a verb is the verb's.
    .enablePositionalOptions()
    .commandsGroup('Verbs:')
    .hook('preSubcommand', async (_, verb) => (await verbs[verb.name()]?.load())?.(verb))
  addExamples(command, [
    ['./overlab up', 'build the lab of the selected stack'],
    ['./overlab ping', 'prove that every pod reaches every pod'],
    ['./overlab show routes', 'who put which route where'],
    ['./overlab exec node1 -- ip -d link', 'look at a machine from inside'],
  ])
  for (const [name, { summary }] of Object.entries(verbs)) command.command(name).summary(summary)
  // Commander's own `help VERB` shows a verb without loading it.
  command
    .command('help')
    .summary("This text, or a verb's")
    .addArgument(new Argument('[VERB]').choices(Object.keys(verbs)))
    .action(async (verb?: string) => {
      await command.parseAsync([...(verb === undefined ? [] : [verb]), '--help'], { from: 'user' })
    })
  return command
}
