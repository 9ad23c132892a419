import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planQemu } from '../../tools/qemu.ts'
import { temporaryFolder } from './temporary.ts'

test("qemu and mmdebstrap come from the system's packages", async ({ skip }) => {
  const bin = join(temporaryFolder(), 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'apt-get'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const work = await planQemu({ PATH: bin })
  skip(work?.outside.length === 0, 'the archives of this system have no qemu')
  expect(work?.problems).toEqual([])
  expect(work?.outside[0]).toBe(
    'install system packages by apt-get: debian-archive-keyring mmdebstrap qemu-system-x86 qemu-utils',
  )
})
