/** From testimonies to what is true of every host, or to what is not settled. Pure. */
import type { Cidr, Mac, Name } from '../../inventory/values.ts'
import type { LabPlan } from '../../overlay/plan.ts'
import type { Fact, Testimonies, Testimony } from './testimony.ts'

/** A fact of which two things are said. */
export interface Contradiction {
  readonly about: Name
  readonly fact: Fact
  /** Each value, and who says so. */
  readonly said: readonly { readonly value: string; readonly by: readonly Testimony[] }[]
}

export interface HostTruth {
  readonly subnet: Cidr
  /** Of vxlan: what its device has, by all who know. */
  readonly vtepMac?: Mac
  /** Who says so; nobody does where all daemons and their rows are gone: then it is the inventory's. */
  readonly by: readonly string[]
}

export interface Verdict {
  readonly hosts: Readonly<Record<string, HostTruth>>
  readonly contradictions: readonly Contradiction[]
}

export function judge(plan: LabPlan, { all }: Testimonies): Verdict {
  const hosts = Object.values(plan.hosts)
  return {
    hosts: Object.fromEntries(
      hosts.map(({ name, subnet, vtep }) => {
        const mine = all.filter(({ about }) => about === name)
        const value = (fact: Fact) => mine.find((one) => one.fact === fact)?.value
        return [
          name,
          {
            subnet: (value('subnet') ?? subnet) as Cidr,
            ...(vtep && { vtepMac: (value('VTEP MAC') ?? vtep.mac) as Mac }),
            by: [...new Set(mine.filter(({ fact }) => fact === 'subnet').map(({ by }) => by))],
          },
        ]
      }),
    ),
    contradictions: hosts.flatMap(({ name }) =>
      (['subnet', 'VTEP MAC', 'address', 'backend'] as const).flatMap((fact) => {
        const mine = all.filter((one) => one.about === name && one.fact === fact)
        const said = [...Map.groupBy(mine, ({ value }) => value)].map(([value, by]) => ({ value, by }))
        return said.length > 1 ? [{ about: name, fact, said }] : []
      }),
    ),
  }
}
