/**
 * The inventory's form, in one place: the loader checks with it, and editors complete with the JSON Schema made
 * from it. What needs more than one value at a time (duplicates, overlaps, budgets) is checked after it.
 */
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { unsupported } from './flannel-keys.ts'
import { controls, datapaths } from './inventory.ts'
import type { MachineKind } from './inventory.ts'
import { duration, rate, share } from './quantities.ts'
import { cidr, ifName, ip, mac, name } from './values.ts'

/** Inner packets shorter than this break what every IPv4 host must accept (RFC 791, 3.1: 576 bytes). */
export const leastMtu = 576
/** How many ports a bridge of Linux has (BR_MAX_PORTS, less port 0); more fail with "Exchange full". */
export const bridgePorts = 1023
/** The underlay's bridge has one port a machine, and one for the controller; also what stops `node[1:100000000]`. */
export const mostHosts = bridgePorts - 1
/** Keys of the user's own variables, and of Ansible's, which may stand beside overlab's own. */
export const ownVariable = /^(x_|ansible_)\w+$/

const only = <T extends boolean>(value: T, key: string) =>
  z.literal(value, { error: unsupportedText(`${key}: ${String(!value)}`) }).meta({
    description: `Only ${String(value)}: flannel knows the other value, overlab does not support it yet.`,
  })

function unsupportedText(what: string): string {
  const { what: sentence, todo } = unsupported(what)
  return `!${sentence}; ${todo}`
}

const port = z.int().min(1).max(65535)

const vxlanBackend = z
  .strictObject({
    Type: z.literal('vxlan'),
    VNI: z
      .int()
      .min(1)
      .max(2 ** 24 - 1)
      .refine(
        (vni) => vni < 10_000_000 || vni >= 2 ** 24,
        'makes a device name flannel.VNI longer than the 15 characters of Linux; use at most 9999999',
      )
      .optional()
      .meta({ description: 'VXLAN network identifier; the device is flannel.VNI.', default: 1 }),
    Port: port.optional().meta({ description: 'UDP port of the outer packets.', default: 8472 }),
    MTU: z
      .int()
      .min(leastMtu)
      .max(65535)
      .optional()
      .meta({
        description:
          "The underlay's MTU as the backend shall see it; the pods get 50 less. The NIC's unless told.",
        examples: [1400],
      }),
    DirectRouting: z.boolean().optional().meta({
      description: 'Route straight to a peer that is on the same link, without encapsulation.',
      default: false,
    }),
    GBP: only(false, 'GBP').optional(),
    Learning: only(false, 'Learning').optional(),
  })
  .meta({ title: 'vxlan', description: 'Ethernet frames in UDP, by the kernel (outer header 50 bytes).' })

const hostGwBackend = z
  .strictObject({ Type: z.literal('host-gw') })
  .meta({ title: 'host-gw', description: 'Plain routes by way of the peers; all of them on one link.' })

const udpBackend = z
  .strictObject({
    Type: z.literal('udp'),
    Port: port.optional().meta({ description: 'UDP port of the outer packets.', default: 8285 }),
  })
  .meta({ title: 'udp', description: 'IPv4 packets in UDP (outer header 28 bytes).' })

const backends = { vxlan: vxlanBackend, 'host-gw': hostGwBackend, udp: udpBackend }

/** The keys that each backend has. */
export const backendKeys: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(backends).map(([type, schema]) => [type, Object.keys(schema.shape)]),
)

const backend = z
  .discriminatedUnion('Type', [vxlanBackend, hostGwBackend, udpBackend])
  .meta({ description: 'How packets get from host to host. Left out, it is udp, as in flannel.' })

const overlay = z
  .strictObject({
    Network: cidr.meta({ description: "All pods' addresses.", examples: ['10.244.0.0/16'] }),
    SubnetLen: z.int().min(1).max(30).optional().meta({
      description:
        "Prefix length of a host's subnet: 24, or the Network's length + 2 where the Network is smaller than a /22.",
    }),
    SubnetMin: ip
      .optional()
      .meta({ description: 'First subnet to give out; the second of Network unless told.' }),
    SubnetMax: ip
      .optional()
      .meta({ description: 'Last subnet to give out; the last of Network unless told.' }),
    EnableIPv4: only(true, 'EnableIPv4').optional(),
    EnableIPv6: only(false, 'EnableIPv6').optional(),
    EnableNFTables: only(false, 'EnableNFTables').optional(),
    Backend: backend.optional(),
  })
  .meta({ description: "flannel's net-conf.json, key for key." })

const control = z.enum(controls).meta({
  description:
    "Who fills the hosts' kernels: static is overlab itself, without a daemon; flanneld is the real flanneld with etcd.",
  default: 'static',
})

/** The kinds that have a driver by now. */
export const supportedMachines = ['namespace', 'qemu', 'ssh'] as const satisfies readonly MachineKind[]

const machine = z.enum(supportedMachines).meta({
  description:
    'Where the machines come from: namespace is Linux namespaces of this computer, qemu is virtual machines, ssh is hosts that exist.',
  default: 'namespace',
})

const datapath = z.enum(datapaths).meta({
  description:
    "What in the kernel carries udp's packets under static control: fou, bpf, or auto, by the kind of machine and its kernel.",
  default: 'auto',
})

export const lab = z
  .strictObject({
    name: name.meta({
      description: "The lab's name; two labs that are up at once need two.",
      examples: ['lab'],
    }),
    underlay: cidr.meta({
      description: 'The network that joins the machines; its last usable address is the controller.',
      examples: ['192.168.77.0/24'],
    }),
    mtu: z
      .int()
      .min(leastMtu)
      .max(65535)
      .optional()
      .meta({ description: "MTU of the machines' NIC.", default: 1500 }),
    machine: machine.optional(),
    control: control.optional(),
    datapath: datapath.optional(),
    overlay,
  })
  .meta({ description: 'What all machines share.' })

const line = z
  .string()
  .min(1)
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'holds a control character; write plain text on one line')

const triggers = z
  .array(z.string())
  .optional()
  .meta({ description: 'The act is done again when one of these texts changes.' })

const actName = name
  .optional()
  .meta({ description: 'How the act is called in a preview; made from its content unless told.' })

const environmentName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    'is not a name of an environment variable; use letters, digits and underscores',
  )

const environmentText = z
  .string()
  .regex(/^[^\0]*$/, 'holds a zero byte, which no environment can hold; write plain text')

/** Each of its references has one key, which says where the value is. */
export const environmentSources = ['from_env', 'from_file'] as const

const environmentValue = z.union([
  environmentText,
  z
    .strictObject({
      from_env: environmentName.meta({ description: "A variable of overlab's own environment." }),
    })
    .meta({ title: 'from_env' }),
  z
    .strictObject({
      from_file: line.meta({
        description: "A file's text without the newlines at its end; relative to the inventory file.",
      }),
    })
    .meta({ title: 'from_file' }),
])

const runAct = z
  .strictObject({
    name: actName,
    run: z
      .string()
      .regex(/^[^\0]*\S[^\0]*$/, 'is an empty command; write what the machine shall run')
      .meta({ description: 'A shell command to run on the machine.', examples: ['echo hello > /etc/motd'] }),
    delete: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'A shell command to run when the act is taken back.' }),
    triggers,
    environment: z
      .record(environmentName, environmentValue)
      .optional()
      .meta({
        description: 'Environment variables of the command; secrets by from_env or from_file.',
        examples: [{ TOKEN: { from_env: 'TOKEN' } }],
      }),
  })
  .meta({ title: 'run', description: 'A command to run once.' })

const copyAct = z
  .strictObject({
    name: actName,
    copy: line.meta({
      description: 'A file or folder, relative to the inventory file.',
      examples: ['files/motd'],
    }),
    to: line.regex(/^\//, 'is not an absolute path; start it with /').meta({
      description: 'Where it goes on the machine; an absolute path.',
      examples: ['/etc/motd'],
    }),
    triggers,
  })
  .meta({ title: 'copy', description: 'A file to copy once.' })

const bootstrap = z.array(z.union([runAct, copyAct])).meta({
  description:
    "One-shot acts, after the machine is there and before the overlay; a group's come before the host's.",
})

const podOptions = z
  .strictObject({ address: ip.optional().meta({ description: "An address of the host's subnet." }) })
  .nullable()

const pods = z
  .union([
    z.int().min(0).max(65536).meta({ title: 'a count', description: 'HOST-pod1, HOST-pod2, ...' }),
    z.array(name).meta({ title: 'names' }),
    z.record(name, podOptions).meta({ title: 'names with addresses' }),
  ])
  .meta({
    description: 'A count, a list of names, or a map from name to {address}; 1 unless told.',
    examples: [2, ['web', 'db']],
  })

const impairmentKeys = {
  rate: rate
    .meta({ description: 'At most so many bits a second, as tc has it.', examples: ['100mbit'] })
    .optional(),
  delay: duration.meta({ description: 'How much later a packet leaves.', examples: ['20ms'] }).optional(),
  jitter: duration
    .meta({ description: 'By how much the delay is longer or shorter.', examples: ['2ms'] })
    .optional(),
  loss: share.meta({ description: 'How many of the packets are lost.', examples: ['1%'] }).optional(),
}

const impairments = z
  .strictObject({
    ...impairmentKeys,
    toward: z
      .record(z.string(), z.strictObject(impairmentKeys).nullable())
      .meta({ description: 'Instead of that, toward one peer, or the hosts of one group; {} is none.' })
      .optional(),
  })
  .meta({
    description:
      "What the host's packets to its peers suffer on their way out; the controller's way is spared.",
    examples: [{ rate: '100mbit', delay: '20ms' }],
  })

export const impairmentWords = Object.keys(impairmentKeys)

const number = z
  .int()
  .min(1)
  .max(2 ** 24)

const notAHost = 'is not a host; write a name or an address such as 192.168.1.11 or 2001:db8::11'
/** A name or an address, as ssh takes it; overlab's own connection may be of IPv6. */
const hostName = z
  .string()
  .regex(
    /^([A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]{1,15})?)$/,
    notAHost,
  )
  .refine((text) => !text.includes(':') || ipaddr.IPv6.isValid(text), notAHost)
const userName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, 'is not a user name; write one such as root or admin')
const hostKey = z
  .string()
  .regex(
    /^(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/]+=*( .*)?$/,
    'is not a host key; write the line of /etc/ssh/ssh_host_ed25519_key.pub of the host, ssh-ed25519 AAAA...',
  )

const login = {
  port: port.meta({ description: "sshd's port.", default: 22 }),
  user: userName.meta({ description: 'Who logs in.', default: 'root' }),
  key: line.meta({
    description:
      'Path of the private key (relative to this file, or ~/...), or agent: the keys of $SSH_AUTH_SOCK. Unless told the agent where there is one, else ~/.ssh/id_ed25519, id_ecdsa or id_rsa.',
    examples: ['~/.ssh/id_ed25519', 'agent'],
  }),
  hostKey: hostKey.meta({
    description: "The host's public key, pinned. Without it the key must stand in ssh_known_hosts.",
  }),
}

const jump = z
  .strictObject({
    host: hostName.meta({ description: 'Name or address of the jump host.' }),
    port: login.port.optional(),
    user: login.user.optional(),
    key: login.key.optional(),
    host_key: login.hostKey.optional(),
  })
  .nullable()
  .meta({
    id: 'jump',
    description: "The host through whose sshd these are reached (OpenSSH's ProxyJump); none unless told.",
  })

const become = z.boolean().meta({
  description: 'Work as root through sudo, which must ask for no password.',
  default: false,
})

/** Variables that make sense for many hosts. */
const sharedVariables = {
  machine: machine.meta({
    description: 'Where these machines come from; lab.machine unless told. A lab may mix the kinds.',
  }),
  control: control.meta({
    description: 'Who fills the kernel of these hosts; lab.control unless told. A lab may mix the two.',
  }),
  datapath: datapath.meta({
    description:
      "What in these hosts' kernels carries udp's packets; lab.datapath unless told. A lab may mix them.",
  }),
  persist: z.boolean().meta({
    description:
      'These hosts restore their data plane by themselves at boot (systemd); true unless told, for qemu and ssh under static control.',
  }),
  vcpus: z.int().min(1).max(64).meta({ description: 'Virtual CPUs of a VM.', default: 1 }),
  memory: z
    .int()
    .min(192)
    .max(2 ** 20)
    .meta({ description: 'Memory of a VM, in MiB.', default: 256 }),
  disk: z
    .int()
    .min(1)
    .max(2 ** 12)
    .meta({
      description: "Size of a VM's disk, in GiB; it can grow, not shrink. As large as the image unless told.",
      examples: [8],
    }),
  image: line.meta({
    description:
      'A disk image to start a VM from, relative to the inventory file, that boots by itself and has cloud-init; a Debian that overlab makes unless told.',
    examples: ['/var/lib/images/debian-12-genericcloud-amd64.qcow2'],
  }),
  pods,
  iptables: z.enum(['auto', 'nft', 'legacy']).meta({
    description: 'The variant of iptables to use; auto is what the machine uses by default.',
    default: 'auto',
  }),
  impairments,
  bootstrap,
  ssh_port: login.port,
  ansible_port: login.port.meta({ description: "Ansible's name for ssh_port." }),
  ansible_ssh_port: login.port.meta({ description: "Ansible's older name for ssh_port." }),
  ssh_user: login.user,
  ansible_user: login.user.meta({ description: "Ansible's name for ssh_user." }),
  ansible_ssh_user: login.user.meta({ description: "Ansible's older name for ssh_user." }),
  ssh_key: login.key,
  ansible_private_key_file: login.key.meta({ description: "Ansible's name for ssh_key." }),
  ansible_ssh_private_key_file: login.key.meta({ description: "Ansible's name for ssh_key." }),
  ssh_known_hosts: line.meta({
    description: "OpenSSH's file of known host keys, for hosts without an ssh_host_key.",
    default: '~/.ssh/known_hosts',
  }),
  ssh_jump: jump,
  become,
  ansible_become: become.meta({ description: "Ansible's name for become." }),
  nic: ifName.meta({
    description: 'The NIC that carries the underlay of a machine: ssh; the one that has address unless told.',
    examples: ['eth1'],
  }),
  confirm: z
    .string()
    .regex(/^([5-9]|[1-9][0-9]{1,3})s$|^off$/, 'is not a time; write seconds from 5s to 9999s, or off')
    .meta({
      description:
        'A machine: ssh undoes by itself a change after which overlab does not come back within this time; off changes without a net.',
      default: '30s',
    }),
  number_from: z
    .int()
    .min(0)
    .max(2 ** 24)
    .meta({
      description: 'Added to the trailing number of host names, so that web1 and db1 can be in one lab.',
      examples: [100],
    }),
  ansible_group_priority: z
    .int()
    .meta({ description: "Ansible's: at the same depth the highest number wins.", default: 1 }),
}

/** Variables that belong to one host. */
const hostOnlyVariables = {
  address: ip.meta({
    description:
      "The machine's address in the underlay; the first one + number unless told. Of a machine: ssh with vxlan or udp any to which its peers send.",
  }),
  ansible_host: hostName.meta({
    description: "Ansible's name for address; of a machine: ssh, for ssh_host.",
  }),
  ansible_ssh_host: hostName.meta({ description: "Ansible's older name for ansible_host." }),
  ssh_host: hostName.meta({
    description: 'Name or address where sshd of a machine: ssh is reached; its address unless told.',
  }),
  ssh_host_key: login.hostKey,
  number: number.meta({
    description:
      "The host's place in underlay and overlay; the trailing number of its name (+ number_from) unless told.",
  }),
  subnet: cidr.meta({ description: "The pods' subnet; SubnetMin + (number - 1) subnets unless told." }),
  vtep_mac: mac.meta({ description: 'MAC of flannel.VNI; made from the name unless told.' }),
}

/** Ansible's words for variables of ours. */
export const ansibleNames: Readonly<Record<string, string>> = {
  ansible_port: 'ssh_port',
  ansible_ssh_port: 'ssh_port',
  ansible_user: 'ssh_user',
  ansible_ssh_user: 'ssh_user',
  ansible_private_key_file: 'ssh_key',
  ansible_ssh_private_key_file: 'ssh_key',
  ansible_become: 'become',
  ansible_ssh_host: 'ansible_host',
}

export const hostOnly = Object.keys(hostOnlyVariables)
export const variables = { ...sharedVariables, ...hostOnlyVariables }
export type VariableName = keyof typeof variables

const own = {
  patternProperties: {
    '^x_\\w+$': { description: 'A variable of your own.' },
    '^ansible_\\w+$': { description: "A variable of Ansible's." },
  },
}

const groupVars = z
  .strictObject(sharedVariables)
  .partial()
  .meta({
    id: 'vars',
    description:
      'Variables of all hosts of the group. A child group goes before its parent, a host before its groups.',
    ...own,
  })

const hostVars = z
  .strictObject(variables)
  .omit({ ansible_group_priority: true })
  .partial()
  .meta({ id: 'host', description: 'Variables of this host (or of every host of the range).', ...own })

/** Ansible's own rule, with the dash that it only warns about. */
const groupName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'is not a group name; use letters, digits and underscores')

const group = z
  .strictObject({
    hosts: z
      .record(z.string(), hostVars.nullable())
      .nullable()
      .optional()
      .meta({ description: 'Hosts: a name (node1), or a range as in Ansible (node[1:3]).' }),
    vars: groupVars.nullable().optional(),
    get children(): z.ZodType {
      return z.record(groupName, group.nullable()).nullable().optional().meta({
        description: 'Groups below this one. An empty body names a group that is written out elsewhere.',
      })
    },
  })
  .meta({ id: 'group', description: 'A group of hosts, as in Ansible.' })

export const inventoryFile = z
  .strictObject({ lab, all: group.meta({ description: 'The group of all hosts.' }) })
  .meta({ title: 'overlab inventory', description: 'Machines, pods and one flannel backend.' })
