/** What messages print for a user to type. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { program } from '../../cli/program.ts'
import { quietOption, stackOption } from '../../cli/lab-options.ts'
import { verbs } from '../../cli/verbs.ts'
import {
  asCalled,
  overlabCommand,
  overlabName,
  printCommandsFor,
  pulumiCommand,
} from '../../tools/command-line.ts'
import { repository } from '../../tools/paths.ts'

beforeEach(() => {
  vi.stubEnv('OVERLAB_COMMAND', undefined)
  vi.spyOn(process, 'cwd').mockReturnValue(repository)
})
afterEach(() => {
  printCommandsFor(undefined, undefined)
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test.each([
  { stack: 'vxlan', selected: 'vxlan', up: './overlab up', config: 'npx pulumi config set backend udp' },
  {
    stack: 'udp',
    selected: 'vxlan',
    up: './overlab up --stack udp',
    config: 'npx pulumi config set backend udp --stack udp',
  },
  {
    stack: 'vxlan',
    selected: undefined,
    up: './overlab up --stack vxlan',
    config: 'npx pulumi config set backend udp --stack vxlan',
  },
])('stack $stack where $selected is selected', ({ stack, selected, up, config }) => {
  printCommandsFor(stack, selected)
  expect(overlabCommand('up')).toBe(up)
  expect(pulumiCommand('config set backend udp')).toBe(config)
})

test('the stack stands behind the verb: what follows may be a command of its own', () => {
  printCommandsFor('udp', 'vxlan')
  expect(overlabCommand("exec node1 -- sh -c 'a  b'")).toBe(
    "./overlab exec --stack udp node1 -- sh -c 'a  b'",
  )
  expect(overlabCommand('inventory list')).toBe('./overlab inventory --stack udp list')
  expect(overlabCommand('doctor')).toBe('./overlab doctor')
})

test('in a program of the user’s own, up is Pulumi’s', () => {
  printCommandsFor('dev', undefined, true)
  expect(overlabCommand('up --yes')).toBe('pulumi up --stack dev --yes')
})

test('called by a name on PATH, or by a path', () => {
  vi.stubEnv('OVERLAB_COMMAND', 'overlab')
  expect(overlabCommand('up')).toBe('overlab up')
  expect(asCalled('./overlab up, then `./overlab ping`; ./overlab.ts, a/./overlab')).toBe(
    'overlab up, then `overlab ping`; ./overlab.ts, a/./overlab',
  )
  vi.stubEnv('OVERLAB_COMMAND', '/a b/overlab')
  expect(overlabName()).toBe("'/a b/overlab'")
})

test('from another folder, a command of Pulumi goes to the project first', () => {
  vi.spyOn(process, 'cwd').mockReturnValue('/')
  expect(pulumiCommand('stack ls')).toBe(`cd ${repository} && npx pulumi stack ls`)
})

test.each(Object.keys(verbs))(
  'a printed command of %s has --stack just where the verb has it',
  async (verb) => {
    const command = program().commands.find((one) => one.name() === verb)!
    ;(await verbs[verb]!.load())(command)
    const pulumis = ['up', 'preview', 'refresh', 'destroy'].includes(verb)
    printCommandsFor('udp', 'vxlan')
    expect(overlabCommand(verb).includes('--stack')).toBe(pulumis || command.options.includes(stackOption))
    expect(command.options.includes(quietOption)).toBe(command.options.includes(stackOption))
  },
)
