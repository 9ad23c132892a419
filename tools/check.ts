/** `npm run check`: types, lint, format and import rules. All four run, whatever the others find. */
import { availableParallelism } from 'node:os'
import { run } from './commands.ts'
import { fromRepository, repository } from './paths.ts'

const checks = [
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'lint', command: ['eslint', '--max-warnings=0', '.'] },
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  {
    name: 'import rules',
    command: ['depcruise', '--config', '.dependency-cruiser.mjs', '--output-type', 'err-long', '.'],
  },
]

/** Runs one check; returns what it has to say where it fails. */
async function failure({
  name,
  command: [tool = '', ...args],
}: (typeof checks)[number]): Promise<string | undefined> {
  const began = performance.now()
  const result = await run(fromRepository('node_modules', '.bin', tool), args, {
    cwd: repository,
    env: {
      ...process.env,
      PATH: `${fromRepository('node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
      FORCE_COLOR: '0',
    },
  })
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(`check: ${name} ${result.code === 0 ? 'ok' : 'FAILED'} (${seconds} s)`)
  return result.code === 0 ? undefined : `--- ${name}\n${result.stdout}${result.stderr}`.trim()
}

const failures: string[] = []
const queue = [...checks]
const worker = async () => {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const text = await failure(next)
    if (text !== undefined) failures.push(text)
  }
}
await Promise.all(Array.from({ length: Math.min(checks.length, availableParallelism()) }, worker))
failures.forEach((text) => console.error(`\n${text}`))
process.exitCode = failures.length > 0 ? 1 : 0
