import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'
import { noCastOfUnknown } from './tools/lint/no-cast-of-unknown.js'

export default defineConfig([
  globalIgnores(['node_modules/', '.overlab/', 'test/tools/fixtures/']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-exports': [
        'error',
        { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      // `${number}` is what most messages hold.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Contracts are asynchronous even where one implementation happens not to wait.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    // What a host or a file says is parsed where it enters. An inventory's values are: structure.ts checks the whole first.
    files: ['**/*.ts'],
    ignores: ['test/**', 'inventory/**'],
    plugins: { overlab: { rules: { 'no-cast-of-unknown': noCastOfUnknown } } },
    rules: { 'overlab/no-cast-of-unknown': 'error' },
  },
  {
    files: ['**/*.ts'],
    ignores: ['test/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "TSAsExpression > CallExpression[callee.object.name='JSON'][callee.property.name='parse']",
          message: 'parse it by a schema: parseJson of inventory/json.ts',
        },
      ],
    },
  },
  {
    // Tools whose configuration must be a default export, and vitest's reporters.
    files: ['vitest.config.ts', 'tools/reporter.ts'],
    rules: { 'no-restricted-exports': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests look into JSON of all kinds.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
])
