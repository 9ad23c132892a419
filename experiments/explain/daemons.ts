/** The processes that people suspect: which of them live, and how flannel's own are ended. */
import type { Notes } from './notes.ts'
import { hostsOf, type Site } from './site.ts'

const suspects = [
  'flanneld',
  'etcd',
  'kube-proxy',
  'kubelet',
  'dockerd',
  'containerd',
  'calico-node',
  'cilium-agent',
]
/** A process's name as people say it: flanneld's file has its version in its name, and the kernel shows 15 letters of it. */
export function programOf(name: string): string {
  return name.replace(/^flanneld.*/, 'flanneld')
}

/** Of a line that shows a process; etcd has many words. */
const columns = 96

/** `node1 flanneld`, ... of all hosts. Each host's list of processes is noted, of the first one whole. */
export async function daemonsOf(site: Site, notes: Notes): Promise<string[]> {
  const command = `ps -e -o pid,comm | grep -E '${suspects.join('|')}'`
  const all: string[] = []
  const [first, ...others] = hostsOf(site)
  // Not the shell of this very command, nor sshd's child that brought it.
  await notes.run(first!.name, `ps -e -o pid,args --columns ${columns}`, {
    keep: /PID|init|flanneld|etcd|listener/,
  })
  for (const { name } of [first!, ...others]) {
    const { output } = await notes.run(name, command)
    all.push(
      ...output.split('\n').flatMap((line) => {
        const program = /^ *\d+ (\S+)$/.exec(line)?.[1]
        return program === undefined ? [] : [`${name} ${programOf(program)}`]
      }),
    )
  }
  return all
}

/** kill -9 of one of flannel's own two, on every host that has it. */
export async function killAll(site: Site, notes: Notes, unit: 'flanneld' | 'etcd'): Promise<void> {
  for (const { name, control } of hostsOf(site)) {
    if (control !== 'flanneld') continue
    const { exitCode } = await notes.quietly(name, `pgrep ${unit}`)
    if (exitCode === 0) await notes.run(name, `pkill -KILL ${unit}`)
  }
}
