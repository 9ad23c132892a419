/** Two labs at once with the same pod network: they never meet, and one outlives the other. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lostPairs, makeLab, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

let project: Project
const labs: TestLab[] = []
beforeAll(async () => {
  project = makeProject()
  for (const Type of ['vxlan', 'udp']) labs.push(await makeLab(project, { backend: { Type } }))
})
afterAll(async () => {
  for (const lab of labs) await lab.destroy()
  project.remove()
})

const echoes = async (lab: TestLab) =>
  Number(
    await lab.inPod(
      'node2-pod1',
      'awk \'/^Icmp:/ && NR > 1 { for (i = 2; i <= NF; i++) if (name[i] == "InEchos") print $i } /^Icmp:/ { split($0, name) }\' /proc/net/snmp',
    ),
  )

test('both come up at the same time, and in both all reach all', async () => {
  await Promise.all(labs.map((lab) => lab.up()))
  for (const lab of labs) expect(await lostPairs(lab)).toEqual([])
})

test("one lab's packets do not reach the other's pod of the same address", async () => {
  const [one, other] = labs as [TestLab, TestLab]
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const before = [await echoes(from), await echoes(to)]
    await from.inPod('node1-pod1', 'ping -n -c 5 -i 0.05 -W 2 10.244.2.2')
    expect([await echoes(from), await echoes(to)]).toEqual([before[0]! + 5, before[1]])
  }
})

test('one is destroyed, the other goes on', async () => {
  await labs.shift()!.destroy()
  expect(await lostPairs(labs[0]!)).toEqual([])
  expect(await labs[0]!.up()).toMatch(/8 unchanged/)
})
