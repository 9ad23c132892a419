/** What other tools call things: who types one of their words is shown overlab's verb for it. Pure. */
import { overlabCommand } from '../tools/command-line.ts'

/** Words of ansible, docker, terraform, pulumi, containerlab, kubectl and vagrant -> what stands for them here. */
export const otherWords: Readonly<Record<string, string>> = {
  ...sameAs('exec HOST|POD', 'ssh', 'shell', 'sh', 'bash', 'attach', 'enter', 'console'),
  ...sameAs('exec HOST|POD -- COMMAND', 'run', 'command', 'adhoc'),
  ...sameAs(
    'up',
    'apply',
    'deploy',
    'create',
    'start',
    'provision',
    'converge',
    'play',
    'playbook',
    'reload',
  ),
  ...sameAs('destroy', 'down', 'delete', 'rm', 'remove', 'stop', 'kill', 'halt', 'teardown'),
  ...sameAs('preview', 'diff', 'check', 'drift', 'dry-run'),
  ...sameAs('show', 'inspect', 'describe', 'facts', 'setup', 'gather', 'get', 'state', 'neigh', 'routes'),
  ...sameAs('ping', 'status', 'health', 'test', 'verify'),
  ...sameAs('plan', 'validate', 'lint', 'render', 'generate'),
  ...sameAs('inventory', 'ps', 'ls', 'list', 'hosts', 'nodes', 'pods', 'config'),
  ...sameAs('trace', 'capture', 'tcpdump', 'traceroute'),
  ...sameAs('compare', 'bench', 'benchmark', 'iperf'),
  ...sameAs('survive', 'chaos', 'fault', 'netem'),
  ...sameAs('--version', 'version'),
}

function sameAs(ours: string, ...words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.map((word) => [word, ours]))
}

/** The command to type instead; undefined where no tool's word is known. */
export function insteadOf(word: string): string | undefined {
  const lower = word.toLowerCase()
  return Object.hasOwn(otherWords, lower) ? overlabCommand(otherWords[lower]!) : undefined
}
