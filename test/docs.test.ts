/** The documentation against the code: what it shows exists, and is what the code does. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { pulumiVerbs } from '../cli/pulumi.ts'
import { verbs } from '../cli/verbs.ts'
import { jsonSchemaText } from '../inventory/jsonschema.ts'
import { InventoryErrors, loadInventory, parseInventory } from '../inventory/load.ts'
import { overridesFrom } from '../inventory/overrides.ts'
import { tableNames } from '../modules/state.ts'
import { planLab } from '../overlay/plan.ts'
import { pulumiBinary, pulumiEnvironment } from '../tools/environment.ts'
import { fromRepository } from '../tools/paths.ts'
import { readLine } from './cli/read-line.ts'
import { anchorsOf, blocksOf, codeOf, commandsOf, linksOf, tableBelow, wordsOf } from './docs/markdown.ts'
import { defaultLab } from './support/default-lab.ts'

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(fromRepository('docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
]
const textOf = (path: string) => readFileSync(fromRepository(path), 'utf8')
const scripts = (JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }).scripts
const everyBlock = pages.flatMap((page) => blocksOf(textOf(page)).map((block) => ({ page, ...block })))

describe.each(pages)('%s', (page) => {
  const text = textOf(page)

  it('has no dead link', () => {
    const dead = linksOf(text).filter((link) => {
      if (/^https?:/.test(link)) return false
      const [path = '', anchor] = link.split('#')
      const target =
        path === '' ? page : relative(fromRepository(), join(fromRepository(dirname(page)), path))
      if (!existsSync(fromRepository(target))) return true
      return anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor)
    })
    expect(dead).toEqual([])
  })

  it('names only files that exist', () => {
    expect(pathsOf(text).filter((path) => !existsSync(fromRepository(path)))).toEqual([])
  })

  it('shows only commands that exist, with options that they have', async () => {
    const typed = blocksOf(text).flatMap(commandsOf)
    const named = codeOf(text).filter((code) => /^(\.\/overlab|npx pulumi|npm run) [a-z]/.test(code))
    const wrong: string[] = []
    // In a sentence, a verb may stand alone for what it does.
    const bare = named.filter((code) => !(/^\.\/overlab \w+$/.test(code) && code.split(' ')[1]! in verbs))
    for (const command of [...typed, ...bare.filter((code) => !code.includes(' | '))]) {
      const complaint = await complaintAbout(command)
      if (complaint) wrong.push(`${command}: ${complaint}`)
    }
    expect(wrong).toEqual([])
    // Pulumi's help, asked a few times on a busy machine.
  }, 60_000)
})

/** Code that is a path of this repository. Capitals alone (NAME, LAB), dots and stars stand for something else. */
function pathsOf(text: string): string[] {
  const folders = readdirSync(fromRepository()).filter((name) => statSync(fromRepository(name)).isDirectory())
  return codeOf(text)
    .filter((code) => /^[\w.-]+(\/[\w.-]+)+\/?$/.test(code) && !/\b[A-Z]{3,}\b(?!\.md)/.test(code))
    .filter((path) => folders.includes(path.split('/')[0]!) && !/^(\.overlab|node_modules)\//.test(path))
}

/** What is wrong with a command line; undefined where nothing is. Only overlab's and Pulumi's own parts are read. */
async function complaintAbout(line: string): Promise<string | undefined> {
  for (const command of line.split(/ && | \| /)) {
    const [first = '', second = '', ...rest] = wordsOf(command)
    const verdict =
      first === './overlab'
        ? await overlabComplaint([second, ...rest])
        : first === 'npx' && second === 'pulumi'
          ? pulumiComplaint(rest)
          : first === 'npm'
            ? npmComplaint([second, ...rest])
            : undefined
    if (verdict !== undefined) return verdict
  }
  return undefined
}

async function overlabComplaint([name = '', ...rest]: readonly string[]): Promise<string | undefined> {
  if (name === '--help') return undefined
  if (!Object.hasOwn(verbs, name)) return `there is no verb ${name}`
  if (rest.includes('--help')) return undefined
  if (name in pulumiVerbs) return pulumiComplaint([name, ...rest])
  try {
    await readLine([name, ...rest])
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const helps = new Map<string, string>()

/** Pulumi's own help knows its options. */
function pulumiComplaint(words: readonly string[]): string | undefined {
  const options = words.filter((word) => word.startsWith('-'))
  const at = ['stack', 'config', 'plugin'].includes(words[0]!) ? 2 : 1
  const verb = words.slice(0, at).join(' ')
  if (!helps.has(verb)) {
    const { stdout } = spawnSync(pulumiBinary(), [...words.slice(0, at), '--help'], {
      env: pulumiEnvironment(),
      encoding: 'utf8',
    })
    helps.set(verb, stdout)
  }
  const help = helps.get(verb) ?? ''
  // For a word that it does not know, Pulumi prints the help of the word before.
  const names = [/^Usage:\n {2}pulumi ([a-z ]+?) *[[<\n]/m, /^Aliases:\n {2}(.*)$/m].flatMap(
    (pattern) => pattern.exec(help)?.[1]?.split(/,? /) ?? [],
  )
  if (
    !words.slice(0, at).every((word) => names.includes(word) || (at > 1 && word === words[0])) ||
    names.length === 0
  )
    return `pulumi has no ${verb}`
  const unknown = options.find((option) => !help.includes(` ${option.split('=')[0]}`))
  return unknown && `pulumi ${verb} has no ${unknown}`
}

function npmComplaint([verb = '', script = '']: readonly string[]): string | undefined {
  const name = verb === 'run' ? script : verb === 'test' ? 'test' : undefined
  return name === undefined || Object.hasOwn(scripts, name) ? undefined : `there is no script ${name}`
}

describe('inventory snippets', () => {
  const snippets = everyBlock.filter(({ language }) => language === 'yaml')
  const right = snippets.filter(({ note }) => !note.startsWith('wrong'))
  const wrong = snippets.filter(({ note }) => note.startsWith('wrong'))

  it('are there', () => {
    expect(right.length).toBeGreaterThan(3)
    expect(wrong.length).toBeGreaterThan(0)
  })

  it.each(right)('$page:$line is right', ({ text }) => {
    const given = parse(text) as Record<string, unknown>
    if ('plugins' in given)
      return void expect(parse(textOf('examples/smoke/Pulumi.yaml'))).toMatchObject(given)
    if ('config' in given) {
      const config = Object.entries(given['config'] as Record<string, string>)
      const known = overridesFrom((key) => config.find(([name]) => name === `overlab:${key}`)?.[1])
      return void expect(Object.keys(known)).toHaveLength(config.length)
    }
    const hosts = { hosts: { 'node[1:3]': null } }
    const lab = parse(readFileSync(defaultLab, 'utf8')) as { lab: object }
    const whole =
      'lab' in given
        ? { all: hosts, ...given }
        : ['hosts', 'children', 'vars'].some((key) => key in given)
          ? { ...lab, all: { ...('vars' in given && !('hosts' in given) ? hosts : {}), ...given } }
          : { lab: { ...lab.lab, ...given }, all: hosts }
    // JSON is YAML; the text itself where it is whole, so that what YAML makes of it counts too.
    const inventory = 'lab' in given && 'all' in given ? text : JSON.stringify(whole)
    expect(parseInventory(inventory, 'docs.yaml').hosts.length).toBeGreaterThan(0)
  })

  it.each(wrong)('$page:$line is wrong as it says', ({ page, text, line, note }) => {
    const blocks = everyBlock.filter((block) => block.page === page)
    const said = blocks[blocks.findIndex((block) => block.line === line) + 1]!
    expect(said.language).toBe('text')
    expect(() => parseInventory(text, note.replace('wrong: ', ''))).toThrow(InventoryErrors)
    try {
      parseInventory(text, note.replace('wrong: ', ''))
    } catch (error) {
      expect((error as Error).message).toBe(said.text)
    }
  })
})

describe('docs/inventory.md', () => {
  const text = textOf('docs/inventory.md')
  const keysBelow = (heading: string) =>
    tableBelow(text, heading).map(([key = '']) => key.replaceAll('`', ''))
  type Schema = { [key: string]: unknown; $ref?: string; properties?: Record<string, Schema> }
  const root = JSON.parse(jsonSchemaText()) as Schema & { definitions: Record<string, Schema> }

  /** All names of properties that are said at some place of the schema, references and alternatives followed. */
  function keysOf(schema: Schema | undefined): string[] {
    if (!schema) return []
    const here = Object.keys(schema.properties ?? {})
    const ref = schema.$ref ? keysOf(root.definitions[schema.$ref.replace('#/definitions/', '')]) : []
    const more = (['allOf', 'anyOf', 'oneOf'] as const).flatMap((word) =>
      ((schema[word] ?? []) as Schema[]).flatMap(keysOf),
    )
    return [...new Set([...here, ...ref, ...more])]
  }
  function at(schema: Schema, ...path: string[]): Schema {
    return path.reduce((here, key) => {
      const found = place(here, key)
      if (!found) throw new Error(`the schema has no ${path.join('.')}`)
      return found
    }, schema)
  }
  /** The schema of a key; `*` is any key of a map, `[]` an element of a list. */
  function place(schema: Schema | undefined, key: string): Schema | undefined {
    if (!schema) return undefined
    const own =
      key === '*'
        ? typeof schema['additionalProperties'] === 'object'
          ? (schema['additionalProperties'] as Schema)
          : undefined
        : key === '[]'
          ? (schema['items'] as Schema | undefined)
          : schema.properties?.[key]
    if (own) return own
    const inner = [
      ...(schema.$ref ? [root.definitions[schema.$ref.replace('#/definitions/', '')]] : []),
      ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((word) => (schema[word] ?? []) as Schema[]),
    ]
    return inner.map((one) => place(one, key)).find((one) => one !== undefined)
  }

  it.each<[string, string[], Schema]>([
    ['### `lab`', [], at(root, 'lab')],
    ['### `lab.overlay`', [], at(root, 'lab', 'overlay')],
    ['### `lab.overlay.Backend`', [], at(root, 'lab', 'overlay', 'Backend')],
    ['### A group', [], at(root, 'all')],
    ['### Variables', keysOf(at(root, 'all', 'vars')), at(root, 'all', 'hosts', '*')],
    ['### A pod', [], at(root, 'all', 'vars', 'pods', '*')],
    ['### `impairments`', [], at(root, 'all', 'vars', 'impairments')],
    ['### An act of `bootstrap`', [], at(root, 'all', 'vars', 'bootstrap', '[]')],
  ])('%s has the keys of the JSON Schema', (heading, also, schema) => {
    const keys = [...new Set([...keysOf(schema), ...also])]
    expect(keys.length).toBeGreaterThan(0)
    expect(keysBelow(heading).toSorted()).toEqual(keys.toSorted())
  })

  it('has the keys of a stack', () => {
    const known = keysBelow('## What a stack changes').filter((key) => key !== 'inventory')
    expect(Object.keys(overridesFrom(() => '1')).toSorted()).toEqual(known.toSorted())
  })
})

describe('tables', () => {
  it('CONTRIBUTING.md says who may import whom as the check does', async () => {
    const file = fromRepository('.dependency-cruiser.mjs')
    const cruiser = (await import(file)) as { default: { forbidden: { comment: string }[] } }
    const rules = cruiser.default.forbidden
      .map(({ comment }) => /^(\S+)\/ imports only (.*)$/.exec(comment))
      .filter((match) => match !== null)
    const said = tableBelow(textOf('CONTRIBUTING.md'), '## The house')
    expect(Object.fromEntries(said.map(([folder, , allowed]) => [plain(folder), plain(allowed)]))).toEqual(
      Object.fromEntries(rules.map((match) => [match[1], match[2]])),
    )
  })

  it('docs/modules.md has every table of a host, in order', () => {
    expect(tableBelow(textOf('docs/modules.md'), '# Modules').map(([table]) => plain(table))).toEqual([
      ...tableNames,
    ])
  })

  it.each(['## Set-up', '## Refused'])(
    'docs/troubleshooting.md %s quotes messages that the code has',
    (heading) => {
      const sources = ['tools', 'machines', 'cli', 'remote'].flatMap((folder) =>
        readdirSync(fromRepository(folder), { recursive: true, encoding: 'utf8' })
          .filter((file) => /\.(ts|mjs)$/.test(file))
          .map((file) => textOf(join(folder, file))),
      )
      const code = [...sources, textOf('overlab')].join('\n')
      const quoted = tableBelow(textOf('docs/troubleshooting.md'), heading).flatMap(([cell = '']) =>
        [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!),
      )
      expect(quoted.length).toBeGreaterThan(3)
      const pieces = quoted
        .flatMap((message) => message.split(/ ?\.\.\.|\bNAME\b/))
        .map((piece) => piece.trim())
      expect(pieces.filter((piece) => piece.length > 4 && !code.includes(piece))).toEqual([])
    },
  )
})

function plain(cell = ''): string {
  return cell.replaceAll('`', '')
}

describe('what is copied', () => {
  const plan = planLab(loadInventory(defaultLab))

  it.each(['README.md', 'docs/images/packet.svg'])('%s has the MAC that node2 really has', (page) => {
    const macs = textOf(page).match(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g) ?? []
    expect(new Set(macs)).toEqual(new Set([plan.hosts['node2']!.vtep!.mac]))
  })

  it('the plan names the rows that the picture shows', () => {
    const { routes, neighbours, fdb } = plan.hosts['node1']!.state
    const picture = textOf('docs/images/packet.svg')
    expect(picture).toContain(`10.244.2.0/24 ${routes!['10.244.2.0/24']}`)
    expect(picture).toContain(`10.244.2.0 dev flannel.1 ${neighbours!['10.244.2.0 dev flannel.1']}`)
    const [key] = Object.entries(fdb!).find(([, line]) => line === 'dst 192.168.77.2')!
    expect(picture).toContain(`${key} dst 192.168.77.2`)
  })

  it('imports in TypeScript snippets are there', () => {
    const snippets = everyBlock.filter(({ language }) => language === 'ts')
    expect(snippets.length).toBeGreaterThan(1)
    for (const { text } of snippets) {
      for (const [, names = '', path = ''] of text.matchAll(/import \{ ([^}]+) \} from '(\.[^']+)'/g)) {
        const source = readFileSync(join(fromRepository('examples/smoke'), path), 'utf8')
        for (const name of names.split(', ')) expect(source).toMatch(new RegExp(`export .*\\b${name}\\b`))
      }
    }
  })
})
