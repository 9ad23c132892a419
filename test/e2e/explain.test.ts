/**
 * `overlab explain` on a real lab: every question is confirmed, docs/questions.md is what such a run writes, and
 * whoever gives up in the middle finds the lab as it was. By vxlan alone, static and flanneld: all six variants are
 * in docs/questions.md, which `npm run docs:questions` writes.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { borrow } from '../../experiments/explain/borrow.ts'
import { createNotes } from '../../experiments/explain/notes.ts'
import type { Site } from '../../experiments/explain/site.ts'
import { changedLines } from '../../experiments/kernel-dump.ts'
import { loadInventory } from '../../inventory/load.ts'
import { targets } from '../../machines/namespace.ts'
import { planLab } from '../../overlay/plan.ts'
import { openSession, type Session } from '../../remote/session.ts'
import { fromRepository } from '../../tools/paths.ts'
import { skeletonOf } from './explain/skeleton.ts'
import { dumpAll } from './support/kernel-dump.ts'
import { makeLab, say, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

const hosts = ['node1', 'node2', 'node3']
const route = 'ip route show 10.244.2.0/24'

let project: Project
let lab: TestLab
beforeAll(async () => {
  project = makeProject()
  lab = await makeLab(project, { backend: { Type: 'vxlan' } })
  await lab.up()
})
afterAll(async () => {
  try {
    await lab?.destroy()
  } finally {
    project?.remove()
  }
})

/** Nothing of an experiment on any host. */
async function nothingLeft(): Promise<void> {
  for (const host of hosts)
    expect(await lab.on(host, 'ls -d /run/overlab-explain-* 2>/dev/null || :; pgrep -a tcpdump || :')).toBe(
      '',
    )
}

test('Ctrl-C while an entry is away: it comes back', async () => {
  const before = await dumpAll(lab, hosts)
  const child = project.start(lab.stack, 'explain', '2', '--lab-only')
  const ended = once(child, 'exit')
  while (child.exitCode === null && (await lab.on('node1', route)) !== '') await sleep(50)
  expect(child.exitCode).toBeNull()
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  expect(changedLines(before, await dumpAll(lab, hosts))).toEqual([])
  await nothingLeft()
})

test('with the controller gone, a keeper on the host puts it back', async () => {
  const plan = planLab(loadInventory(`${project.folder}/${lab.file}`))
  const before = await dumpAll(lab, hosts)
  const opened: Session[] = []
  let isGone = false
  const site: Site = {
    name: 'vxlan',
    plan,
    signal: new AbortController().signal,
    async session(host) {
      if (isGone) throw new Error('the controller is gone')
      const session = await openSession((await targets(lab.name)).find(({ name }) => name === host)!)
      opened.push(session)
      return session
    },
  }
  const notes = createNotes()
  notes.begin(site, 'experiment', 'a test')
  const words = await lab.on('node1', route)
  let away = ''
  const borrowed = borrow(
    notes,
    { host: 'node1', take: `ip route del ${words}`, back: `ip route replace ${words}`, patience: 2 },
    async () => {
      away = await lab.on('node1', route)
      isGone = true
    },
  )
  await expect(borrowed).rejects.toThrow('the controller is gone')
  expect(away).toBe('')
  while ((await lab.on('node1', route)) === '') await sleep(100)
  expect(changedLines(before, await dumpAll(lab, hosts))).toEqual([])
  await Promise.all(opened.map((session) => session.close()))
  await expect.poll(() => lab.on('node1', 'ls -d /run/overlab-explain-* 2>/dev/null || :')).toBe('')
})

test('all eight are confirmed, the lab is as before, and docs/questions.md says the same', async () => {
  const before = await dumpAll(lab, hosts)
  const { code, stdout, output } = await lab.overlab('explain', '--all', '--backend', 'vxlan', '--markdown')
  say(stdout.match(/^\*\*Verdict:\*\*.*$/gm)?.join(' ') ?? output)
  const labs = ['vxlan', 'vxlan-flanneld']
  const page = readFileSync(fromRepository('docs', 'questions.md'), 'utf8')
  expect(skeletonOf(stdout, labs)).toEqual(skeletonOf(page, labs))
  expect(code).toBe(0)
  expect(changedLines(before, await dumpAll(lab, hosts))).toEqual([])
  await nothingLeft()
}, 600_000)

test('a lab that behaves otherwise refutes the answer', async () => {
  // What node3 answers does not come back: to it, all is lost without any entry of node1's being away.
  await lab.on('node3', 'ip route replace unreachable 10.244.1.0/24')
  try {
    const { code, stdout } = await lab.overlab('explain', '8', '2', '--lab-only', '--json')
    const { questions } = JSON.parse(stdout) as { questions: { number: number; verdict: string }[] }
    expect(code).toBe(1)
    expect(questions.map(({ number, verdict }) => `${number} ${verdict}`)).toEqual([
      '8 confirmed',
      '2 refuted',
    ])
  } finally {
    await lab.on('node3', 'ip route del unreachable 10.244.1.0/24 2>/dev/null || :')
    await lab.up()
  }
})
