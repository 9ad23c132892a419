/** A lab of a test's own in a project: unique name and underlay, inventory written by the test, always taken away. */
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { podStreams, underLoad, type Loss } from '../../../experiments/load.ts'
import { loadInventory } from '../../../inventory/load.ts'
import { name as nameSchema, type Name } from '../../../inventory/values.ts'
import { listMachines } from '../../../machines/drivers.ts'
import { namespaceDriver } from '../../../machines/namespace.ts'
import { planLab } from '../../../overlay/plan.ts'
import { createPool } from '../../../remote/pool.ts'
import { writeInto, type Outcome, type Project } from './project.ts'

export interface LabForm {
  readonly backend: Readonly<Record<string, unknown>>
  /** Below `all:`; default three hosts with two pods each. */
  readonly all?: object
  readonly overlay?: object
  readonly underlay?: string
}

/** What one pair of pods sent and lost. */
export type PairLoss = Loss & { readonly pair: string }

export interface TestLab {
  readonly name: Name
  readonly stack: string
  /** `10.216.7`: the underlay is this and .0/24. */
  readonly net: string
  readonly file: string
  /** Writes the inventory. */
  describe(form: LabForm): void
  /** Writes the inventory as a text. */
  write(text: string): void
  overlab(...words: string[]): Promise<Outcome>
  pulumi(...words: string[]): Promise<Outcome>
  /** `overlab up`, which must succeed; returns what it printed. */
  up(...words: string[]): Promise<string>
  /** Runs a script on a host, as a person would by ssh; it must succeed. Standard output, trimmed. */
  on(host: string, script: string): Promise<string>
  inPod(pod: string, script: string): Promise<string>
  /** Pings between the first pods of these hosts, or of all, while the action goes on; what each pair lost, all of them measured. */
  underLoad(action: () => Promise<unknown>, hosts?: readonly string[]): Promise<PairLoss[]>
  /** `overlab destroy`, and what is left where that fails. */
  destroy(): Promise<void>
}

export const threeHosts = { hosts: { 'node[1:3]': null }, vars: { pods: 2 } }
let made = 0

/** @param like a lab whose name this one gets too */
export async function makeLab(project: Project, form: LabForm, like?: TestLab): Promise<TestLab> {
  const count = made++
  const name = like?.name ?? nameSchema.parse(`t${process.pid}${'abcdefghijklmnop'[count]}`)
  // Other runs on this machine have another pid; the lab's own check says so where a network is taken all the same.
  const net = `10.${216 + (count % 24)}.${process.pid % 250}`
  const path = `inventory/${name}.yaml`
  const write = (text: string) => void writeInto(project, path, text)
  const describe = ({ backend, overlay = {}, underlay = `${net}.0/24`, all = threeHosts }: LabForm) =>
    write(
      stringify({
        lab: { name, underlay, overlay: { Network: '10.244.0.0/16', Backend: backend, ...overlay } },
        all,
      }),
    )

  describe(form)
  for (const words of [
    ['stack', 'init', name, '--no-select'],
    ['config', 'set', 'inventory', path],
  ]) {
    const { code, output } = await project.pulumi(name, ...words)
    if (code !== 0) throw new Error(`pulumi ${words.join(' ')}: ${output}`)
  }

  const on = (host: string, script: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = execFile(
        'ssh',
        ['-F', `/run/overlab/${name}/ssh_config`, '-o', 'ConnectTimeout=10', host, 'sh', '-s'],
        { maxBuffer: 1e8 },
        (error, stdout, stderr) =>
          error
            ? reject(new Error(`${host}: exit ${String(error.code)}: ${script}\n${stderr}${stdout}`))
            : resolve(stdout.trim()),
      )
      // Where the host is not reached, ssh ends before it has read anything; its exit code tells that.
      child.stdin!.on('error', () => {})
      child.stdin!.end(`set -e\n${script}\n`)
    })
  return {
    name,
    stack: name,
    net,
    file: path,
    describe,
    write,
    on,
    inPod: (pod, script) =>
      on(pod.replace(/-pod\d+$/, ''), `ip netns exec ${pod} sh -es <<'POD'\n${script}\nPOD`),
    async underLoad(action, hosts) {
      const plan = planLab(loadInventory(join(project.folder, path)))
      const streams = podStreams(plan).filter(
        ({ from, to }) => !hosts || (hosts.includes(from.host) && hosts.includes(to.host)),
      )
      const found = await listMachines(name)
      const pool = createPool()
      try {
        const { losses } = await underLoad((host) => pool.session(found.get(host)!.target), streams, action)
        return losses.map((loss) => {
          if ('notMeasured' in loss) throw new Error(`${loss.pair}: not measured: ${loss.notMeasured}`)
          return loss
        })
      } finally {
        await pool.close()
      }
    },
    overlab: (...words) => project.overlab(name, ...words),
    pulumi: (...words) => project.pulumi(name, ...words),
    async up(...words) {
      const { code, output } = await project.overlab(name, 'up', '--yes', '--skip-preview', ...words)
      if (code !== 0) throw new Error(`overlab up: exit ${code}\n${output}`)
      return output
    },
    async destroy() {
      try {
        const { code, output } = await project.overlab(name, 'destroy', '--yes', '--skip-preview')
        if (code !== 0) throw new Error(`overlab destroy: exit ${code}\n${output}`)
      } finally {
        await namespaceDriver.deleteUnderlay(name)
        rmSync(`/run/overlab/${name}`, { recursive: true, force: true })
      }
    },
  }
}

export interface Pair {
  readonly from: { readonly name: string }
  readonly to: { readonly name: string; readonly address: string }
  readonly sent: number
  readonly received: number
}

/** `overlab ping`: the pairs that lose something, as words; empty = all reach all. */
export async function lostPairs(lab: TestLab): Promise<string[]> {
  const { stdout, output } = await lab.overlab('ping', '--json')
  let pairs: Pair[]
  try {
    pairs = JSON.parse(stdout) as Pair[]
  } catch {
    throw new Error(`overlab ping: ${output}`)
  }
  if (pairs.length === 0) return ['no pairs']
  return pairs
    .filter(({ sent, received }) => sent === 0 || received < sent)
    .map(({ from, to, sent, received }) => `${from.name} -> ${to.name}: ${received} of ${sent}`)
}

/** One line a step on standard error, where vitest does not keep it back. */
export function say(text: string): void {
  process.stderr.write(`  ${text}\n`)
}
