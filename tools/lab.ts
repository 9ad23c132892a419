/**
 * `npm run lab`, after set-up: builds the selected stack's lab (or that of the stack that is its argument), proves that
 * it works, says what to do next.
 */
import { spawnSync } from 'node:child_process'
import { quote } from '../remote/quote.ts'
import { overlabCommand, printCommandsFor, pulumiCommand } from './command-line.ts'
import { pulumiBinary, pulumiEnvironment } from './environment.ts'
import { ownBackend, ownSecrets, passphraseFile } from './passphrase.ts'
import { fromRepository, repository } from './paths.ts'
import { currentStack, selectedStack } from './stacks.ts'

const [chosen] = process.argv.slice(2)
if (chosen) process.env['PULUMI_STACK'] = chosen
const env = pulumiEnvironment()

/** Runs it on the user's terminal; ends this process with its exit code where it fails. */
function step(command: string, args: readonly string[], hint: string): void {
  const result = spawnSync(command, args, { cwd: repository, env, stdio: 'inherit' })
  if (result.status === 0) return
  console.error(`\nlab: ${hint}`)
  process.exit(result.status ?? 1)
}

const overlab = fromRepository('cli', 'overlab.ts')

// With a backend of the user's own, set-up makes no stacks; the default one is made there on first use.
if (!ownBackend() && !process.env['PULUMI_STACK']) {
  const shown = spawnSync(pulumiBinary(), ['stack', '--show-name'], {
    cwd: repository,
    env,
    encoding: 'utf8',
  })
  if (shown.status !== 0)
    step(pulumiBinary(), ['stack', 'select', 'vxlan', '--create'], 'no stack could be selected')
}
const stack = currentStack()
printCommandsFor(stack, selectedStack())
const name = stack ?? 'the selected stack'
console.log(`lab: pulumi up, ${name}`)
// The CLI's own `up`, since it also takes away the lock that a killed run left.
step(
  process.execPath,
  [overlab, 'up', '--yes', '--skip-preview'],
  'pulumi up failed; the reason is above. Mend it and run npm run lab again: it goes on from here',
)
console.log('\nlab: every pod to every pod')
step(
  process.execPath,
  [overlab, 'ping'],
  `the lab is up, but not every ping came through; look with: ${overlabCommand('doctor')}; ${overlabCommand('show routes')}`,
)

console.log(`
The lab is up, and no daemon runs. Next:
  ${overlabCommand('show routes')}              what the backend left in the kernels (also neighbours, fdb, iptables, links)
  ${overlabCommand('exec node1 -- ip -d link')}
  ${overlabCommand('up')}                       after a change of inventory/lab.yaml
  ${pulumiCommand('config set backend host-gw')} && ${overlabCommand('up')}    the same lab by another backend
  ${overlabCommand('destroy')}                  takes everything away again`)
if (!ownSecrets()) {
  console.log(`
For plain pulumi (npx pulumi preview | up | refresh | destroy) in this shell:
  export PULUMI_CONFIG_PASSPHRASE_FILE=${shellWord(passphraseFile())}`)
}

/** Quoted only where it must be, so that the line reads well. */
function shellWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : quote(word)
}
