/**
 * Who may import whom: one row a folder, as in CONTRIBUTING.md. What a row does not name, the folder must not import.
 * A type-only import counts as well: the row of modules names `remote` for its types.
 */
const rows = {
  inventory: [],
  remote: ['inventory/values.ts', 'inventory/harmless.ts', 'inventory/json.ts'],
  modules: [
    'remote',
    'inventory/values.ts',
    'inventory/quantities.ts',
    'inventory/harmless.ts',
    'inventory/json.ts',
  ],
  overlay: ['inventory', 'modules'],
  machines: ['remote', 'inventory', 'modules/bpf', 'tools/paths.ts'],
  'plugins/server': ['inventory/harmless.ts'],
  'plugins/command': ['remote', 'plugins/server'],
  'plugins/overlab': [
    'remote',
    'modules',
    'machines',
    'overlay',
    'inventory',
    'resources',
    'plugins/server',
    'tools',
  ],
  resources: ['remote', 'modules', 'machines', 'overlay', 'inventory'],
  stacks: ['resources', 'inventory', 'overlay', 'tools/flanneld-binary.ts'],
  examples: ['resources', 'inventory', 'overlay'],
  experiments: ['inventory', 'overlay', 'modules', 'remote', 'machines', 'resources', 'stacks', 'tools'],
  cli: [
    'inventory',
    'overlay',
    'modules',
    'remote',
    'machines',
    'resources',
    'stacks',
    'experiments',
    'tools',
  ],
  tools: ['inventory/json.ts', 'remote/quote.ts', 'modules/bpf/object.ts', 'machines/qemu/image.ts'],
}

/** What every folder may import: by it messages print commands. */
const everybodys = ['tools/command-line.ts']

/** Everything of ours; what is outside (npm packages, Node's own modules) is nobody's row. */
const ours = `^(?:${Object.keys(rows).join('|')}|test)/`

/** A folder, or one file. */
const pattern = (name) => `^${name.replaceAll('.', '\\.')}${name.endsWith('.ts') ? '$' : '/'}`

export default {
  forbidden: [
    ...Object.entries(rows).map(([folder, allowed]) => ({
      name: `${folder.replace('/', '-')}-imports`,
      comment: `${folder}/ imports only ${allowed.join(', ') || 'npm packages'}`,
      severity: 'error',
      from: { path: `^${folder}/` },
      to: { path: ours, pathNot: [`^${folder}/`, ...[...everybodys, ...allowed].map(pattern)] },
    })),
    {
      name: 'no-cycle',
      comment: 'an import cycle: move what both need into a file of its own',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-to-unresolvable',
      comment: 'an import of something that is not there',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(?:bun|node):' },
    },
    {
      name: 'declared-packages-only',
      comment: 'an npm package that package.json does not name',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(?:node_modules|\\.overlab|\\.git|test/tools/fixtures)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: `${import.meta.dirname}/tsconfig.json` },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
