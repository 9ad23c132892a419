/** What a host restores its data plane with at boot, besides the data itself. */

import { setPath } from '../../remote/shell.ts'

/** The data: parts, each of a line `@COMMAND` and the lines to feed to it. */
export const dataFile = '/etc/overlab/data-plane'
export const unit = 'overlab.service'

export const unitFile = `/etc/systemd/system/${unit}`

/** What gives NICs their addresses. A restart of it takes addresses away for a moment, and the kernel their routes. */
const managers = ['systemd-networkd.service', 'NetworkManager.service', 'networking.service']

/** What starts the unit; the links that `systemctl enable` makes. */
export const wishes = ['multi-user.target', ...managers].map(
  (wisher) => `/etc/systemd/system/${wisher}.wants/${unit}`,
)
/** Network managers read these when they start. */
const networkdSettings = '/etc/systemd/networkd.conf.d/overlab.conf'
const networkdLinks = '/etc/systemd/network/10-overlab.network'
export const managerFolder = '/etc/NetworkManager'
const managerLinks = `${managerFolder}/conf.d/overlab.conf`
const restoreScript = '/etc/overlab/restore'

/** Held while the data plane is being restored. */
const restoreLock = '/run/overlab-restore.lock'
const restorePart = '/run/overlab-restore.part'

/** Shell that waits until a boot has restored what it can; what is read meanwhile would be a part of it. */
export const restored = `[ ! -e ${restoreLock} ] || flock -w 20 ${restoreLock} true || :`

/** Seconds until the NIC must have its address; then the unit fails, and is started again. */
const patience = 60

/** Words of tools that something is there already, of a batch that passes over it, and those that mean no failure. */
const there = 'File exists|Address already in use|Command failed -:[0-9]+$|^(# )?Warning: '

/** Folders that are removed when nothing of anybody's is left in them. */
export const ownFolders = [
  '/etc/overlab',
  '/etc/systemd/networkd.conf.d',
  ...managers.map((manager) => `/etc/systemd/system/${manager}.wants`),
]

/** Path -> lines. `links` are those that overlab makes, by name or by a pattern such as `veth????????`. */
export function bootFiles(dataPlane: readonly string[], nic: string, links: readonly string[]): BootFiles {
  return {
    [dataFile]: dataPlane,
    [restoreScript]: restoreLines(nic),
    [networkdSettings]: [
      '# Written by overlab: when systemd-networkd starts it would delete routes and rules that it did not make.',
      '[Network]',
      'ManageForeignRoutes=no',
      'ManageForeignRoutingPolicyRules=no',
    ],
    [networkdLinks]: [
      "# Written by overlab: its links are no network manager's.",
      '[Match]',
      `Name=${links.join(' ')}`,
      '',
      '[Link]',
      'Unmanaged=yes',
    ],
    [managerLinks]: [
      "# Written by overlab: its links are no network manager's.",
      '[device-overlab]',
      `match-device=${links.map((link) => `interface-name:${link}`).join(';')}`,
      'managed=0',
    ],
    [unitFile]: [
      '# Written by overlab.',
      '[Unit]',
      `Description=The overlay's data plane, restored from ${dataFile}`,
      'DefaultDependencies=no',
      // What empties the tables of a firewall at boot comes before network-pre.target.
      `After=local-fs.target systemd-modules-load.service systemd-sysctl.service network-pre.target ${managers.join(' ')}`,
      'Before=network-online.target shutdown.target',
      'Conflicts=shutdown.target',
      `PartOf=${managers.join(' ')}`,
      // Somebody who tries out a network manager's settings restarts it more often than systemd's own limit has it.
      'StartLimitIntervalSec=10min',
      'StartLimitBurst=20',
      '',
      '[Service]',
      'Type=oneshot',
      'RemainAfterExit=yes',
      `ExecStart=/bin/sh ${restoreScript}`,
      `TimeoutStartSec=${2 * patience}s`,
      'Restart=on-failure',
      'RestartSec=20s',
      '',
      '[Install]',
      `WantedBy=multi-user.target ${managers.join(' ')}`,
    ],
  }
}

export type BootFiles = Readonly<Record<string, readonly string[]>>

/** All paths that there may be, whatever the plan. */
export const bootPaths: readonly string[] = Object.keys(bootFiles([], 'eth0', []))

function restoreLines(nic: string): string[] {
  return [
    '#!/bin/sh',
    `# Written by overlab. Gives this host what ${dataFile} says, at boot or when called again (systemctl restart overlab):`,
    '# each part of it goes to the command in the line above. What is there already stays.',
    'export LC_ALL=C',
    setPath,
    `exec 9>${restoreLock} && flock 9 || exit`,
    `has_address() { ip -4 -o address show dev ${nic} up scope global 2>/dev/null | grep -q .; }`,
    '# systemd-networkd, just started, may still take the address away, and give it again.',
    `in_work() { grep -Eqs '^ADMIN_STATE=(pending|initialized|configuring)' /run/systemd/netif/links/"$(cat /sys/class/net/${nic}/ifindex)" && systemctl is-active -q systemd-networkd; }`,
    'tries=0',
    'while ! has_address || in_work; do',
    `  [ $((tries += 1)) -le ${patience * 10} ] || { echo '${nic} has no address after ${patience} s' >&2; exit 1; }`,
    '  sleep 0.1',
    'done',
    '# A batch ends at some errors; then each line is for itself.',
    `export part=${restorePart}`,
    `each='cat >$part; %s <$part 2>/dev/null || while IFS= read -r line; do echo "$line" | %s; done <$part'`,
    `said=$(awk -v each="$each" '`,
    '  /^#/ { next }',
    '  /^@/ {',
    '    if (command) close(command)',
    '    command = substr($0, 2)',
    '    if (command ~ / -batch -$/) command = sprintf(each, command, command)',
    '    next',
    '  }',
    `  { print | command }' ${dataFile} 2>&1 9>&- | grep -Ev '${there}')`,
    'rm -f "$part"',
    '[ -z "$said" ] || { echo "$said" >&2; exit 1; }',
  ]
}
