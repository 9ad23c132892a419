/**
 * A machine of its own for a test that must see everything: new mount, network and pid namespaces with an empty /run,
 * so that what others do on this machine neither shows nor disturbs. All of it ends with the program inside.
 */
import { spawn } from 'node:child_process'

/** Runs a TypeScript file inside; resolves with its exit status and all that it printed. */
export async function runInSandbox(
  file: string,
  ...args: string[]
): Promise<{ code: number | null; printed: string }> {
  // The labs of others come along as mounts, and would go from under the test when they are destroyed.
  const inside = [
    'grep -o " /run/overlab[^ ]*" /proc/mounts | sort -r | xargs -r umount -l',
    'mount -t tmpfs run /run && mount -t sysfs sysfs /sys && ip link set lo up && mkdir -p /run/sshd && "$@"; exit $?',
  ].join('; ')
  const child = spawn(
    'unshare',
    [
      '--mount',
      '--net',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      '--propagation',
      'private',
      'sh',
      '-c',
      inside,
      'sh',
      process.execPath,
      file,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { code, printed }
}
