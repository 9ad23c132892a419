/** Two runs never strike one running lab at once. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { strikeHere } from '../../cli/survive-labs.ts'
import type { Name } from '../../inventory/values.ts'
import { planLab } from '../../overlay/plan.ts'
import { variants } from '../../experiments/variants/variant.ts'
import { tryLock } from '../../tools/lock.ts'
import { ownFolder } from '../../tools/paths.ts'
import { inventoryOf } from '../support/inventory.ts'

test('a second one names the first and does nothing; where none is, the lab is looked for', async () => {
  const name = `none${process.pid}` as Name
  const inventory = inventoryOf({ lab: { name }, hosts: [] })
  const strike = () =>
    strikeHere({ stack: 'dev', inventory, overrides: {} }, planLab(inventory), variants[0]!, [], {
      signal: new AbortController().signal,
      onState: () => {},
      onLab: () => Promise.resolve(),
      onCell: () => {},
    })
  const lock = tryLock(join(ownFolder(), 'struck', `${name}.lock`))
  await expect(strike()).rejects.toThrow(
    `the lab ${name} is struck by another survive --here (pid ${process.pid}); wait until it has ended`,
  )
  if ('release' in lock) lock.release()
  // Twice: what it took it gives back.
  for (let time = 0; time < 2; time++) await expect(strike()).rejects.toThrow(`the lab ${name} is not up`)
})
