/** Hosts that exist, as a user with three servers has them: unprivileged login, sudo, a life of their own. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { difference } from './fingerprint.ts'
import { everything, makeServers, type Servers } from './hosts/servers.ts'
import { lostPairs, makeLab, say, type LabForm, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

const place = `hosts${process.pid}`
let servers: Servers
let project: Project
let lab: TestLab
let before: string[]

type Vars = Readonly<Record<string, unknown>>

/** The inventory of the three servers; `change` is laid over the variables of some. */
function describeLab(
  change: Readonly<Record<string, Vars>> = {},
  vars: Vars = {},
  form: Partial<LabForm> = {},
): void {
  const { net, key, knownHosts, port } = servers
  lab.describe({
    backend: { Type: 'vxlan' },
    ...form,
    underlay: `${net}.0/24`,
    all: {
      hosts: {
        web1: { address: `${net}.1`, ...change['web1'] },
        web2: { address: `${net}.2`, ...change['web2'] },
        // The third one is reached by way of the first one.
        web3: {
          address: `${net}.3`,
          ssh_jump: { host: `${net}.1`, port, user: 'ops' },
          ...change['web3'],
        },
      },
      vars: {
        machine: 'ssh',
        ansible_user: 'ops',
        ansible_port: port,
        ssh_key: key,
        ssh_known_hosts: knownHosts,
        become: true,
        ...vars,
      },
    },
  })
}

const isWeb2 = (line: string) => line.startsWith('web2 ')

/** An up that fails; what it printed. */
async function failedUp(): Promise<string> {
  const { code, output } = await lab.overlab('up', '--yes', '--skip-preview')
  expect(code, output).not.toBe(0)
  return output
}

beforeAll(async () => {
  servers = await makeServers(place, `10.${190 + (process.pid % 20)}.${process.pid % 250}`, [
    'namespace',
    'namespace',
    'namespace',
  ])
  project = makeProject()
  lab = await makeLab(project, { backend: { Type: 'vxlan' } })
  before = await everything(servers)
  describeLab()
})
afterAll(async () => {
  await lab?.overlab('destroy', '--yes', '--skip-preview')
  await servers?.remove()
  project?.remove()
})

describe('three servers that overlab did not make', () => {
  test('nothing is known of a host key: it is shown with what to write where, and nothing is sent', async () => {
    describeLab({}, { ssh_known_hosts: '/nowhere/known_hosts' })
    const output = await failedUp()
    const key = (await servers.on('web2', 'cat /etc/ssh/ssh_host_ed25519_key.pub'))
      .split(' ')
      .slice(0, 2)
      .join(' ')
    expect(output).toMatch(
      /web2: connect: the host key of \S+:2222 is not known here; it shows ssh-ed25519 SHA256:/,
    )
    expect(output).toContain(`ssh_host_key: ${key}`)
    expect(output).toMatch(/web3: connect: the jump host \S+: the host key of/)
    expect(output).toContain('0 of 3 hosts are finished')
    expect(difference(before, await everything(servers))).toEqual([])
  })

  test('a wrong key, a changed host key: each is told once, the rest is finished', async () => {
    const wrong = join(project.folder, 'wrong-key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', wrong])
    const other = readFileSync(`${wrong}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')
    describeLab({ web2: { ssh_key: wrong }, web3: { ssh_host_key: other } })
    const output = await failedUp()
    expect(output.match(/\* web2: connect: \S+ refused the key \S+wrong-key for the user ops/g)).toHaveLength(
      1,
    )
    expect(output.match(/\* web3: connect: the host key of \S+ is not the pinned one/g)).toHaveLength(1)
    expect(output).toContain('1 of 3 hosts are finished')
    expect(await servers.on('web1', 'ip -br link show flannel.1')).toContain('flannel.1')
  })

  test('the next up does the rest; pods reach each other, and a further up changes nothing', async () => {
    describeLab()
    await lab.up()
    expect(await lostPairs(lab)).toEqual([])
    const held = await everything(servers)
    const { code, output } = await lab.overlab('up', '--yes', '--skip-preview', '--expect-no-changes')
    expect(code, output).toBe(0)
    expect(difference(held, await everything(servers))).toEqual([])
    expect(await servers.on('web1', 'ls /run/overlab-host')).toBe('owner\nwas:net:ipv4:ip_forward')
  })

  test('no private key in the state, the records or the configuration', () => {
    const secret = readFileSync(servers.key, 'utf8').split('\n')[1]!
    const folders = ['.overlab', 'stacks', 'inventory'].map((folder) => join(project.folder, folder))
    const files = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
    )
    expect(files.some(({ name }) => name === 'web2.json')).toBe(true)
    for (const { parentPath, name } of files) {
      const text = readFileSync(join(parentPath, name), 'utf8')
      expect(text.includes('PRIVATE KEY') || text.includes(secret), name).toBe(false)
    }
  })

  test('a full disk, sudo that asks for a password, iptables that is gone and cannot be installed', async () => {
    await servers.on(
      'web1',
      'mount -t tmpfs -o size=24k,mode=700 tiny /run/overlab-host; head -c 100k /dev/zero >/run/overlab-host/full || :; ip link del flannel.1',
    )
    await servers.on('web2', 'mv /etc/sudoers.d/ops /root/ops')
    await servers.on('web3', 'mkdir /root/gone; mv /usr/sbin/iptables* /root/gone')
    const output = await failedUp()
    expect(output).toMatch(/\* web1: save: what it holds now could not be saved, so nothing was changed/)
    expect(output).toContain('No space left on device')
    expect(output).toMatch(/\* web2: check: sudo asks ops for a password/)
    expect(output).toContain("echo 'ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/overlab")
    expect(output).toMatch(/\* web3: packages: what is missing could not be installed/)
    await servers.on('web1', 'umount /run/overlab-host')
    await servers.on('web2', 'mv /root/ops /etc/sudoers.d/ops')
    await servers.on('web3', 'mv /root/gone/* /usr/sbin/; rmdir /root/gone')
    await lab.up()
    expect(await lostPairs(lab)).toEqual([])
  })

  test('a change that would cut the way is refused for that host alone, and preview says so', async () => {
    const { net } = servers
    // web1, which is in front of web3, reaches that one from an address of its own.
    const detour = {
      web1: [`addr ADD 172.30.2.9/32 dev lo`, `route ADD ${net}.3/32 dev eth0 src 172.30.2.9`],
      web3: [`route ADD 172.30.2.9 dev eth0 table 101`, `rule ADD to 172.30.2.9 lookup 101`],
    }
    const set = (verb: 'add' | 'del') =>
      Promise.all(
        Object.entries(detour).map(([server, lines]) =>
          servers.on(
            server,
            (verb === 'add' ? lines : lines.toReversed())
              .map((line) => `ip ${line.replace('ADD', verb)}`)
              .join('\n'),
          ),
        ),
      )
    await set('add')
    const held = await everything(servers)
    describeLab({}, {}, { overlay: { Network: '172.30.0.0/16' } })
    for (const words of [['preview'], ['up', '--yes', '--skip-preview']]) {
      const { code, output } = await lab.overlab(...words)
      if (words[0] === 'up') expect(code, output).not.toBe(0)
      else expect(difference(held, await everything(servers))).toEqual([])
      expect(output).toMatch(
        /web3.*172\.30\.2\.0\/24.*covers 172\.30\.2\.9, from which overlab reaches the host: it would cut the way to web3/,
      )
    }
    expect(difference(held, await everything(servers)).filter((line) => /^[-+] web3\b/.test(line))).toEqual(
      [],
    )
    describeLab()
    await set('del')
    await lab.up()
    expect(await lostPairs(lab)).toEqual([])
  })

  test('the way is cut in the middle of a change: the host goes back by itself', async () => {
    const { port } = servers
    describeLab({}, { confirm: '5s' })
    await servers.on('web2', 'ip link del flannel.1; ip link del cni0; ip route add 172.23.0.0/16 dev nat0')
    const held = await everything(servers)
    // Beside overlab, in the middle of its change: what comes back on the wire is the console's only.
    await servers.on(
      'web2',
      `nohup sh -c 'until ip link show flannel.1; do sleep 0.01; done; iptables -I INPUT -p tcp --dport ${port} -j DROP' >/dev/null 2>&1 </dev/null &`,
    )
    const output = await failedUp()
    expect(output).toMatch(/\* web2: /)
    expect(output).toMatch(/undoes .* by itself 5 s after/)
    expect(output).toContain('2 of 3 hosts are finished')
    while ((await servers.on('web2', 'ls /run/overlab-host')).match(/armed|running/)) await sleep(500)
    expect(await servers.on('web2', 'ls /run/overlab-host')).toContain('undone')
    await servers.on('web2', `iptables -D INPUT -p tcp --dport ${port} -j DROP`)
    const back = await everything(servers)
    expect(difference(held.filter(isWeb2), back.filter(isWeb2))).toEqual([])
    say('web2 went back by itself')
    await lab.up()
    expect(await lostPairs(lab)).toEqual([])
  })

  test('udp by what each kernel has: plan and trace tell of what up found there', async () => {
    const lookedAt = async () => (await lab.overlab('plan', 'web1')).stdout
    expect(await lookedAt()).not.toContain('datapath')
    describeLab({}, {}, { backend: { Type: 'udp' } })
    await lab.up()
    expect(await lookedAt()).toMatch(/datapath (fou \(auto: its kernel has|bpf \(auto: its kernel has no)/)
    const { code, stdout } = await lab.overlab('trace', 'web1-pod1', 'web2-pod1')
    expect(code, stdout).toBe(0)
    expect(stdout).toContain('every packet went the way shown')
    expect(stdout).not.toContain('broken')
    expect(stdout).not.toContain('by the entries it could not')
  })

  test('destroy takes away what overlab put there, and nothing else', async () => {
    const { code, output } = await lab.overlab('destroy', '--yes', '--skip-preview')
    expect(code, output).toBe(0)
    const left = difference(before, await everything(servers))
    // What the tests above did by hand.
    const ours = /sshd_config|172\.23\.0\.0|file (netns|sudo|packages)$|ops-sshd/
    expect(left.filter((line) => !ours.test(line))).toEqual([])
  })
})
