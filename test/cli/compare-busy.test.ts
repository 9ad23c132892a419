/** `overlab compare` on a busy computer, as a process: nothing is begun. The load is what a computer at work has. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'

vi.setConfig({ testTimeout: 60_000 })

/** Node's own answer, replaced before overlab is loaded. */
const loaded = `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module'
os.loadavg = () => [20, 20, 20]; os.availableParallelism = () => 2; syncBuiltinESMExports()`

function compare(...words: readonly string[]) {
  return spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(loaded)}`,
      fileURLToPath(new URL('../../cli/overlab.ts', import.meta.url)),
      'compare',
      ...words,
    ],
    {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PULUMI_STACK: 'vxlan' },
    },
  )
}

test('it says so, what to do, and builds nothing', () => {
  const { status, stdout, stderr } = compare('--quick', '--quiet')
  expect([status, stdout, stderr]).toEqual([
    1,
    '',
    'overlab: this computer is busy: a load of 20.0 on 2 cores, and what else runs would be measured too; wait until the load is 1.0 or less (uptime shows it), or measure all the same by --force\n',
  ])
})
