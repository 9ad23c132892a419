/** A plan as text: one line a row, so that a change of the planner is read as a diff. */
import { objectDigest } from '../../modules/bpf/object.ts'
import type { LabPlan } from '../../overlay/plan.ts'

export function renderPlan({ lab, hosts }: LabPlan): string {
  const lines = [
    `lab ${lab.name} underlay ${lab.underlay} mtu ${lab.mtu}`,
    `overlay ${JSON.stringify(lab.overlay)}`,
    '',
  ]
  for (const host of Object.values(hosts)) {
    const { vtep } = host
    lines.push(
      `${host.name}: ${host.nic} ${host.address} ${host.mac}, pods ${host.subnet} via ${host.gateway} mtu ${host.mtu}` +
        `${vtep ? `, ${vtep.name} ${vtep.address} ${vtep.mac}` : ''}, iptables ${host.iptables}`,
    )
    for (const [table, rows] of Object.entries(host.state)) {
      lines.push(`  ${table}`)
      for (const [key, line] of Object.entries(rows)) lines.push(`    ${key}: ${line}`)
    }
    lines.push(
      '  subnet.env',
      ...host.subnetEnv
        .trim()
        .split('\n')
        .map((line) => `    ${line}`),
      '',
    )
  }
  // The udp programs' version is no matter of a plan.
  return lines.join('\n').replaceAll(objectDigest, 'DIGEST')
}
