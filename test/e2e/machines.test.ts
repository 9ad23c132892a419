import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cidr, Ip, Mac, Name } from '../../inventory/values.ts'
import { labs, namespaceDriver as driver, powerCut, targets } from '../../machines/namespace.ts'
import { ssh, testLab } from './machines/labs.ts'
import { runInSandbox } from './sandbox.ts'

const run = promisify(execFile)
const inside = (file: string) => join(import.meta.dirname, 'machines', file)

// Names and networks of this run alone: other runs and real labs may be up on the same machine.
const one = testLab(`t${process.pid}-one`, `10.213.${process.pid % 250}`, 2)
const two = testLab(`t${process.pid}-two`, `10.214.${process.pid % 250}`, 1)
const [first, second] = one.machines as [(typeof one.machines)[0], (typeof one.machines)[0]]
const lab = one.underlay.lab
const node1 = (command: string) => ssh(lab, 'node1', command)

async function pidOf(name: string): Promise<number> {
  return Number((await readFile(`/run/overlab/${lab}/machines/${name}/pid`, 'utf8')).split(' ')[0])
}

const ipForward = async () => (await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).trim()
let hostForwards = ''

beforeAll(async () => {
  hostForwards = await ipForward()
  for (const { underlay, machines } of [one, two]) {
    await driver.createUnderlay(underlay)
    await Promise.all(machines.map((machine) => driver.boot(machine)))
  }
})
afterAll(async () => {
  await driver.deleteUnderlay(lab)
  await driver.deleteUnderlay(two.underlay.lab)
})

describe('a machine', () => {
  it('has a network, a hostname and processes of its own', async () => {
    expect(
      await node1('hostname; cat /etc/hostname; ls /sys/class/net | xargs; ps -e -o comm= | head -1'),
    ).toBe('node1\nnode1\neth0 lo\nsh')
    expect(await node1('ip -o -4 address show dev eth0')).toContain(`${first.address}/24`)
    expect(await node1('cat /sys/class/net/eth0/address')).toBe(first.mac)
    expect(await node1('ip route show default')).toContain('via 10.213.')
    expect(await node1(`ping -c1 -W5 ${second.address} >/dev/null && echo reached`)).toBe('reached')
  })

  it('can hold what a lab needs', async () => {
    const script = `set -e
      ip netns add pod; ip netns exec pod ip link set lo up; ip netns delete pod
      sysctl -qw net.ipv4.ip_forward=1; cat /proc/sys/net/ipv4/ip_forward
      for save in iptables-nft iptables-legacy; do $save -A FORWARD -j ACCEPT; $save -S FORWARD | tail -1; $save -D FORWARD -j ACCEPT; done
      ip link add name vx type vxlan id 9 dev eth0 dstport 8472; ip link del vx
      tc qdisc del dev eth0 clsact; tc qdisc add dev eth0 clsact
      mkdir /run/overlab-bpf/t; bpftool prog pin pinned $(ls -d /run/overlab-bpf/given/*/overlab_decap) /run/overlab-bpf/t/p
      tc filter add dev eth0 ingress pref 9 protocol ip bpf direct-action object-pinned /run/overlab-bpf/t/p; tc filter del dev eth0 ingress pref 9
      bpftool -j map dump pinned /run/overlab-bpf/given/maps/overlab_peers; rm -r /run/overlab-bpf/t
      ip tuntap add dev t0 mode tun; ip link del t0
      timeout 5 tcpdump -i lo -c1 -w /dev/null icmp 2>/dev/null & sleep 0.5; ping -c1 127.0.0.1 >/dev/null; wait
      iperf3 -s -1 -B 127.0.0.1 >/dev/null & sleep 0.3; iperf3 -c 127.0.0.1 -n 1K >/dev/null; wait
      echo x >/etc/x; echo y >/usr/y; rm /etc/x /usr/y; echo done`
    expect(await node1(script)).toBe('1\n-A FORWARD -j ACCEPT\n-A FORWARD -j ACCEPT\n[]\ndone')
    expect(await ipForward()).toBe(hostForwards)
  })

  it('sees no secret of this machine, and none of its people', async () => {
    const shown = await node1(
      'ls -A /root /home /mnt /srv /opt /etc/ssh /etc/profile.d /var/lib; cat /etc/shadow | cut -d: -f2 | sort -u',
    )
    expect(shown).toBe(
      '/etc/profile.d:\n\n/etc/ssh:\n\n/home:\n\n/mnt:\n\n/opt:\n\n/root:\n\n/srv:\n\n/var/lib:\n*',
    )
    const identity = `/run/overlab/${lab}/id_ed25519`
    expect(await node1(`cat ${identity} ${import.meta.filename} 2>&1 | grep -c 'No such file'`)).toBe('2')
    expect(
      await node1("find /dev -type b | wc -l; awk -F: '$3 >= 1000 && $3 < 60000' /etc/passwd | wc -l"),
    ).toBe('0\n0')
    await expect(node1('echo 1 >/proc/sys/kernel/panic')).rejects.toThrow()
  })

  it('runs no start-up file of this machine', async () => {
    expect(await node1('bash -lc true; bash -ic true 2>/dev/null; env | cut -d= -f1 | sort | xargs')).toBe(
      'HOME LOGNAME MAIL PATH PWD SHELL SHLVL SSH_CLIENT SSH_CONNECTION USER _',
    )
    // A file of the machine's own: sshd's bash would read it, an inner one does not.
    expect(await node1('echo "echo noise" >~/.bashrc')).toBe('')
    expect(await node1('rm ~/.bashrc; echo quiet')).toBe('quiet')
  })

  it('takes the environment and files that ssh sends', async () => {
    const options = ['-F', `/run/overlab/${lab}/ssh_config`]
    const { stdout } = await run('ssh', [
      ...options,
      '-o',
      'SetEnv=ANY_NAME=value',
      'node1',
      'echo $ANY_NAME',
    ])
    expect(stdout).toBe('value\n')
    await run('scp', [...options, '-s', import.meta.filename, 'node1:/root/copied'])
    expect(await node1('wc -c </root/copied; rm /root/copied')).toBe(
      String((await readFile(import.meta.filename)).length),
    )
  })

  it('reaps processes that lost their parent', async () => {
    await node1('for i in 1 2 3; do (setsid sleep 0.1 </dev/null >/dev/null 2>&1 &) ; done; sleep 0.5')
    expect(await node1('ps -e -o stat= | grep -c Z || :')).toBe('0')
  })
})

describe("a machine's root", () => {
  const sees = (command: string) =>
    node1(`{ ${command}
} 2>&1; echo "exit $?"`)

  it('is nobody on this computer', async () => {
    expect((await node1('id -u; cat /proc/self/uid_map')).split(/\s+/)).toEqual([
      '0',
      '0',
      '1879048192',
      '65536',
    ])
    await node1('echo x >/etc/left; chmod 4755 /etc/left')
    const { uid } = await stat(`/run/overlab/${lab}/machines/node1/upper/etc/left`)
    expect(uid).toBe(1879048192)
    expect((await stat(`/proc/${await pidOf('node1')}`)).uid).toBe(1879048192)
  })

  // Most of them succeed on machines without a user namespace.
  it.each([
    ['writes core_pattern', ': >>/proc/sys/kernel/core_pattern'],
    ['mounts /proc/sys for writing', 'mount -o remount,rw,bind /proc/sys; : >>/proc/sys/kernel/core_pattern'],
    ['mounts another proc', 'mount -t proc proc /mnt; : >>/mnt/sys/kernel/core_pattern'],
    ['takes what covers sysrq-trigger away', 'umount /proc/sysrq-trigger; : >>/proc/sysrq-trigger'],
    ["mounts this computer's devices", 'mount -t devtmpfs dev /mnt'],
    ['makes a device', 'mknod /root/disk b 254 0'],
    ['sets the clock', 'date -s "$(date)"'],
    ['takes apart what was mounted for it', 'umount -l /run/overlab/shared'],
  ])('can not escape: %s', async (_, command) => {
    expect(await sees(command)).toMatch(
      /(denied|not permitted|not mounted|No such|Permission|busy|Read-only|Invalid)[\s\S]*exit [1-9]/,
    )
    await node1('umount -l /mnt 2>/dev/null; rm -f /root/disk')
  })

  it('sees nothing that is put on this computer later', async () => {
    const name = `overlab-${process.pid}`
    const folders = [`/etc/${name}`, `/${name}`, `/usr/${name}`, `/var/lib/${name}`]
    const secret = `/usr/share/${name}`
    try {
      for (const folder of folders) {
        await mkdir(folder)
        await writeFile(`${folder}/plain`, 'secret')
      }
      await writeFile(secret, 'secret', { mode: 0o600 })
      for (const folder of folders) expect(await sees(`ls ${folder}`)).toContain('No such file')
      // In a folder of programs names show, and no more than any user of this computer reads.
      expect(await sees(`cat ${secret}`)).toContain('Permission denied')
    } finally {
      for (const path of [...folders, secret]) await rm(path, { recursive: true, force: true })
    }
  })

  it('gets nothing run or followed by this computer when it starts again', async () => {
    const trap = '#!/bin/sh\ncat /proc/self/uid_map >>/etc/who\n'
    await node1(
      `printf '${trap.replaceAll('\n', '\\n')}' >/root/trap; chmod 755 /root/trap
       for tool in umount pivot_root env; do for place in bin sbin; do rm -f /usr/$place/$tool; cp /root/trap /usr/$place/$tool; done; done
       printf '/root/trap.so\\n' >/etc/ld.so.preload
       rm -rf /srv; ln -s /etc /srv`,
    )
    await powerCut(lab, first.name)
    await driver.boot(first).catch(() => undefined)
    const who = await readFile(`/run/overlab/${lab}/machines/node1/upper/etc/who`, 'utf8').catch(() => '')
    const lines = who.split('\n').filter((line) => line !== '')
    expect(lines).not.toEqual([])
    expect(lines.filter((line) => !line.includes('1879048192'))).toEqual([])
    await driver.remove(lab, first.name)
    await driver.boot(first)
    expect(await node1('hostname')).toBe('node1')
  })
})

it('two labs with the same names do not meet', async () => {
  expect(await ssh(two.underlay.lab, 'node1', 'ip -o -4 address show dev eth0')).toContain('10.214.')
  const there = two.machines[0]?.address ?? ''
  expect(await node1(`ping -c1 -W1 ${there} >/dev/null && echo reached || echo lost`)).toBe('lost')
})

it('a second create and boot change nothing', async () => {
  const pid = await pidOf('node1')
  const key = await readFile(`/run/overlab/${lab}/id_ed25519`, 'utf8')
  await driver.createUnderlay(one.underlay)
  const target = await driver.boot(first)
  expect(target).toMatchObject({ name: 'node1', host: first.address, port: 22, user: 'root' })
  expect(await driver.read(first)).toEqual(target)
  expect(await targets(lab)).toContainEqual(target)
  expect(await pidOf('node1')).toBe(pid)
  expect(await readFile(`/run/overlab/${lab}/id_ed25519`, 'utf8')).toBe(key)
})

it('a reboot keeps files and host key, and loses what a kernel holds', async () => {
  const before = await driver.read(first)
  await node1(
    'echo kept >/etc/kept; echo gone >/run/gone; ip link add name br7 type bridge; mkdir -p /etc/overlab; printf "#!/bin/sh\\ntouch /run/booted\\n" >/etc/overlab/boot; chmod +x /etc/overlab/boot',
  )
  await powerCut(lab, first.name)
  expect(await driver.read(first)).toBeUndefined()
  expect((await labs()).find((found) => found.lab === lab)?.machines).toEqual([
    { name: 'node1', running: false, address: first.address },
    { name: 'node2', running: true, address: second.address },
  ])
  await powerCut(lab, first.name)
  expect(await driver.boot(first)).toEqual(before)
  expect(
    await node1(
      'cat /etc/kept; ls /run/gone /sys/class/net/br7 2>&1 | grep -c "No such file"; ls /run/booted',
    ),
  ).toBe('kept\n2\n/run/booted')
})

it('a process that has the pid of a dead machine is not taken for it', async () => {
  await powerCut(lab, second.name)
  const file = `/run/overlab/${lab}/machines/node2/pid`
  await run('sh', ['-c', 'echo "$1 12345" >"$2"', 'sh', String(process.pid), file])
  expect(await driver.read(second)).toBeUndefined()
  await powerCut(lab, second.name)
  await driver.boot(second)
  expect(await ssh(lab, 'node2', 'hostname')).toBe('node2')
})

it('a machine that lost its NIC gets it back, running', async () => {
  const pid = await pidOf('node2')
  await run('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', 'link', 'del', 'dev', 'eth0'])
  expect(await driver.read(second)).toBeUndefined()
  await driver.boot(second)
  expect(await pidOf('node2')).toBe(pid)
  expect(await ssh(lab, 'node2', `ping -c1 -W5 ${first.address} >/dev/null && echo reached`)).toBe('reached')
})

it('a machine whose NIC is to be another one starts again on its files', async () => {
  await ssh(lab, 'node2', 'echo kept >/etc/kept')
  const changed = { ...second, mac: '02:00:00:00:00:77' as Mac }
  expect(await driver.read(changed)).toBeUndefined()
  await driver.boot(changed)
  expect(await ssh(lab, 'node2', 'cat /sys/class/net/eth0/address /etc/kept')).toBe('02:00:00:00:00:77\nkept')
})

it('reading does not wait for a hung sshd', async () => {
  const pid = await pidOf('node1')
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').map(Number)
  for (const child of children) process.kill(child, 'SIGSTOP')
  try {
    expect((await driver.read(first))?.host).toBe(first.address)
  } finally {
    for (const child of children) process.kill(child, 'SIGCONT')
  }
  expect(await node1('hostname')).toBe('node1')
})

it("refuses another's lab and a network that is taken, and changes nothing", async () => {
  await expect(driver.createUnderlay({ ...one.underlay, owner: 'somebody else' })).rejects.toThrow(
    `lab ${lab}: create underlay: the lab belongs to ${one.underlay.owner}, not to somebody else`,
  )
  const third = `t${process.pid}-three` as Name
  await expect(driver.createUnderlay({ ...one.underlay, lab: third })).rejects.toThrow(
    `the underlay ${one.underlay.cidr} overlaps the underlay ${one.underlay.cidr} of the lab ${lab}, which is up`,
  )
  expect((await labs()).map((found) => found.lab)).not.toContain(third)
  expect(await driver.readUnderlay(third)).toBeUndefined()
})

it('a new lab that fails halfway is taken back, and may then have another underlay', async () => {
  const third = `t${process.pid}-three` as Name
  const spec = { ...one.underlay, lab: third, cidr: `10.215.${process.pid % 250}.0/24` as Cidr }
  // The kernel refuses such links.
  await expect(driver.createUnderlay({ ...spec, mtu: 100_000 })).rejects.toThrow('underlay-up.sh failed')
  expect((await labs()).map((found) => found.lab)).not.toContain(third)
  // Below 1280 bytes a link has no IPv6.
  const narrow = { ...spec, cidr: `10.216.${process.pid % 250}.0/24` as Cidr, mtu: 576 }
  try {
    await driver.createUnderlay(narrow)
    const address = `10.216.${process.pid % 250}.1` as Ip
    await driver.boot({ ...first, lab: third, underlay: narrow.cidr, address, mtu: 576 })
    expect(await ssh(third, first.name, 'cat /sys/class/net/eth0/mtu')).toBe('576')
    await expect(driver.createUnderlay({ ...narrow, mtu: 100_000 })).rejects.toThrow('the lab is up')
    expect(await ssh(third, first.name, 'hostname')).toBe(first.name)
  } finally {
    await driver.deleteUnderlay(third)
  }
})

it('refuses a boot without an underlay', async () => {
  await expect(driver.boot({ ...first, lab: 'nowhere' as Name })).rejects.toThrow(
    'lab nowhere has no underlay',
  )
})

it('a removed machine is gone, with its files, and can come back new', async () => {
  await driver.remove(lab, second.name)
  await driver.remove(lab, second.name)
  expect((await targets(lab)).map((target) => target.name)).toEqual(['node1'])
  await driver.boot(second)
  expect(await ssh(lab, 'node2', 'ls /etc/kept 2>/dev/null || echo none')).toBe('none')
})

describe('on a machine of its own', () => {
  it('delete leaves nothing', async () => {
    expect(await runInSandbox(inside('residue.ts'))).toEqual({ code: 0, printed: 'nothing left over\n' })
  })

  it('nothing leaves a lab, not even by a machine that forwards', async () => {
    const { code, printed } = await runInSandbox(inside('outside.ts'))
    expect(printed).toContain('{')
    expect({ code, ...(JSON.parse(printed) as object) }).toEqual({
      code: 0,
      controller: 'reached',
      neighbour: 'lost',
      'other lab': 'lost',
      'other address': 'lost',
      itself: 'reached',
    })
  })

  it('works for a user whom sudo asks nothing, and tells another one what to do', async () => {
    expect(await runInSandbox(inside('unprivileged.ts'))).toEqual({
      code: 0,
      printed:
        'this machine: privileges: namespaces need root, and nobody may not use sudo without a password\n' +
        '  run "sudo -v" in this terminal first, or run the command as root\n' +
        'node1 192.168.200.254\n',
    })
  })

  it('killed at any moment, it can be finished or deleted', async () => {
    const moments = Array.from({ length: 15 }, (_, index) => String(150 + index * 60))
    expect(await runInSandbox(inside('interrupted.ts'), ...moments)).toEqual({
      code: 0,
      printed: '15 rounds, nothing left over\n',
    })
  })
})
