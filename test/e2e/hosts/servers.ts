/**
 * Servers that overlab did not make, each with an sshd of its own and a life of its own (routes, rules, iptables,
 * files): namespaces that let in an unprivileged user whom sudo lets do all, and VMs, which have systemd and no sudo,
 * that let in root. `on` is their console; overlab has only SSH.
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cidr, Ip, Mac, Name } from '../../../inventory/values.ts'
import { driverOf } from '../../../machines/drivers.ts'
import { namespaceDriver } from '../../../machines/namespace.ts'
import { dumpAll } from '../support/kernel-dump.ts'

export interface Servers {
  readonly names: readonly string[]
  /** `10.106.7`: the underlay is this and .0/24, server N is .N, this computer .254. */
  readonly net: string
  /** The key that is let in, and a known_hosts file with every server's key, hashed. */
  readonly key: string
  readonly knownHosts: string
  readonly port: number
  /** Runs a script on a server's console; it must succeed. Standard output, trimmed. */
  on(server: string, script: string): Promise<string>
  /** Pulls the plug for good. */
  remove(): Promise<void>
}

const port = 2222

export type ServerKind = 'namespace' | 'qemu'

/** Who is let in, by the key on standard input. */
const letIn: Readonly<Record<ServerKind, string>> = {
  namespace: `
useradd -m -s /bin/bash -p '*' ops
printf 'root ALL=(ALL:ALL) ALL\\n@includedir /etc/sudoers.d\\n' >/etc/sudoers
mkdir -p /etc/sudoers.d; echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops
chmod 440 /etc/sudoers /etc/sudoers.d/ops
# What stands in /usr is nobody's in a machine, and sudo runs only where it is root's: a copy in its place.
mkdir /opt/sudo; cp /usr/bin/sudo /opt/sudo/; cp -r /usr/libexec/sudo /opt/sudo/libexec
chmod 4755 /opt/sudo/sudo
mkdir -p /etc/pam.d
printf 'auth required pam_deny.so\naccount required pam_permit.so\nsession required pam_permit.so\n' >/etc/pam.d/sudo
mount --bind /opt/sudo/sudo /usr/bin/sudo; mount --bind /opt/sudo/libexec /usr/libexec/sudo
mkdir -p /home/ops/.ssh
cat >/home/ops/.ssh/authorized_keys
chown -R ops:ops /home/ops/.ssh; chmod 700 /home/ops/.ssh`,
  qemu: `
mkdir -p /root/.ssh
cat >/root/.ssh/authorized_keys; chmod 600 /root/.ssh/authorized_keys`,
}

/** Its sshd, after a reboot too. */
const atBoot: Readonly<Record<ServerKind, string>> = {
  namespace: '',
  qemu: `
printf '[Service]\nExecStart=/usr/sbin/sshd -D -f /etc/ssh/ops.conf\nRuntimeDirectory=sshd\nRuntimeDirectoryPreserve=yes\n' >/etc/systemd/system/ops-sshd.service
mkdir -p /etc/systemd/system/multi-user.target.wants
ln -s ../ops-sshd.service /etc/systemd/system/multi-user.target.wants/`,
}

/** What a server is before overlab ever sees it. */
const life = (kind: ServerKind, number: number, net: string) => `
export LC_ALL=C
${letIn[kind]}
mkdir -p /etc/ssh
ssh-keygen -q -t ed25519 -N '' -C '' -f /etc/ssh/ssh_host_ed25519_key
cat >/etc/ssh/ops.conf <<'END'
Port ${port}
ListenAddress ${net}.${number}
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin ${kind === 'qemu' ? 'prohibit-password' : 'no'}
PasswordAuthentication no
UsePAM no
UseDNS no
PidFile /run/ops-sshd.pid
END
/usr/sbin/sshd -f /etc/ssh/ops.conf
${atBoot[kind]}

ip link add nat0 type veth peer name nat1
ip link set nat0 up; ip link set nat1 up
ip addr add 10.0.2.15/24 dev nat0
ip route add 172.20.0.0/16 via ${net}.254 metric 50
ip route add blackhole 198.51.100.0/24
ip route add 172.21.0.0/16 dev nat0 table 100
ip rule add from 172.22.0.0/16 lookup 100 pref 1000
ip neigh add ${net}.200 lladdr 02:00:00:00:02:00 dev eth0 nud permanent
iptables -A INPUT -p udp --dport 9 -j DROP
iptables -A FORWARD -i nat0 -j DROP
iptables -t nat -A POSTROUTING -s 10.0.2.0/24 -o eth0 -j MASQUERADE
echo 0 >/proc/sys/net/ipv4/ip_forward
echo 'a server of ours' >/etc/motd
`

/** `web1`, `web2`, ..., of these kinds. */
export async function makeServers(lab: string, net: string, kinds: readonly ServerKind[]): Promise<Servers> {
  const folder = mkdtempSync(join(tmpdir(), 'overlab-servers-'))
  const key = join(folder, 'id_ed25519')
  const knownHosts = join(folder, 'known_hosts')
  const names = kinds.map((_, index) => `web${index + 1}`)
  const cidr = `${net}.0/24` as Cidr
  const remove = async () => {
    await namespaceDriver.deleteUnderlay(lab as Name)
    rmSync(folder, { recursive: true, force: true })
  }
  const run = (server: string, script: string, before = ''): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = execFile(
        'ssh',
        [
          '-F',
          `/run/overlab/${lab}/ssh_config`,
          '-o',
          'ConnectTimeout=10',
          server,
          `s=$(head -c ${Buffer.byteLength(script)}); eval "$s"`,
        ],
        { maxBuffer: 1e8 },
        (error, stdout, stderr) =>
          error ? reject(new Error(`${server}: ${script}\n${stderr}${stdout}`)) : resolve(stdout.trim()),
      )
      // Where the server is not reached, ssh ends before it has read anything; its exit code tells that.
      child.stdin!.on('error', () => {})
      child.stdin!.end(script + before)
    })
  try {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ops', '-f', key])
    await namespaceDriver.createUnderlay({ lab: lab as Name, cidr, mtu: 1500, owner: `test ${process.pid}` })
    await Promise.all(
      names.map(async (name, index) => {
        const kind = kinds[index]!
        await driverOf(kind).boot({
          lab: lab as Name,
          name: name as Name,
          address: `${net}.${index + 1}` as Ip,
          underlay: cidr,
          mtu: 1500,
          mac: `02:00:00:00:01:0${index + 1}` as Mac,
        })
        await run(name, `set -e\n${life(kind, index + 1, net)}`, readFileSync(`${key}.pub`, 'utf8'))
      }),
    )
    const keys = await Promise.all(names.map((name) => run(name, 'cat /etc/ssh/ssh_host_ed25519_key.pub')))
    writeFileSync(knownHosts, keys.map((line, index) => `[${net}.${index + 1}]:${port} ${line}\n`).join(''))
    execFileSync('ssh-keygen', ['-q', '-H', '-f', knownHosts], { stdio: 'ignore' })
  } catch (error) {
    await remove()
    throw error
  }
  return {
    names,
    net,
    key,
    knownHosts,
    port,
    on: (server, script) => run(server, `set -e\n${script}`),
    remove,
  }
}

/**
 * Everything on the servers that is not overlab's: kernel state, and files by their digests. A server made of namespaces
 * sees this computer's own /var, where the disks of others' VMs come and go.
 */
export async function everything(servers: Servers): Promise<string[]> {
  const files = await Promise.all(
    servers.names.map(async (name) => {
      const listed = await servers.on(
        name,
        `find /etc /home /opt /root /srv /usr/local /var -xdev -type f ! -path '/var/log/*' ! -path '/var/cache/*' ! -path '/var/lib/apt/*' ! -path '/var/lib/overlab/*' -exec sha256sum {} + | sort -k 2; ls -A /run`,
      )
      return listed.split('\n').map((line) => `${name} file ${line}`)
    }),
  )
  return [...(await dumpAll(servers, servers.names)), ...files.flat()]
}
