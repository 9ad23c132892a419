/** Arguments of `ssh`, as Ansible's inventories hold them: what of them has a variable of overlab's. Pure. */

/** What ssh would do, in overlab's words; what it has not stays open. */
export interface SshArguments {
  readonly jump?: { readonly host: string; readonly user: string; readonly port?: number }
  readonly key?: string
  readonly port?: number
  readonly user?: string
  readonly knownHosts?: string
  /** What overlab does not do; one sentence each, and what to do. */
  readonly refused: readonly { readonly what: string; readonly todo: string }[]
}

/** They change how fast or how loud ssh is, never which host it reaches, and as whom. */
const ignoredOptions = new Set(
  `addkeystoagent batchmode canonicalizehostname checkhostip ciphers compression connectionattempts connecttimeout
  controlmaster controlpath controlpersist forwardagent forwardx11 gssapiauthentication hashknownhosts hostkeyalgorithms
  identitiesonly ipqos kbdinteractiveauthentication kexalgorithms loglevel macs numberofpasswordprompts
  passwordauthentication preferredauthentications pubkeyacceptedalgorithms pubkeyacceptedkeytypes requesttty
  serveralivecountmax serveraliveinterval tcpkeepalive updatehostkeys visualhostkey`.split(/\s+/),
)
const ignoredFlags = new Set(['-4', '-6', '-A', '-a', '-C', '-n', '-q', '-T', '-t', '-v', '-x'])
/** Other arguments that are followed by a value. */
const takesValue = /^-[BbcDEeFILmOQRSWw]$/
/** Letters of the arguments that have an option's name. */
const letters: Readonly<Record<string, string>> = {
  '-J': 'proxyjump',
  '-i': 'identityfile',
  '-l': 'user',
  '-p': 'port',
}

const jumpTodo = 'write ssh_jump: {host: NAME, user: NAME} instead'

/** Words as a shell splits them; quotes go. */
function words(text: string): string[] {
  return (text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).map((word) => word.replace(/["']/g, ''))
}

/** Options by their name in small letters, the first of each, as ssh takes them; and what is none. */
function optionsOf(list: readonly string[]): { options: Map<string, string>; rest: string[] } {
  const options = new Map<string, string>()
  const rest: string[] = []
  const set = (name: string, value: string) => {
    if (!options.has(name)) options.set(name, value)
  }
  for (let at = 0; at < list.length; at++) {
    const word = list[at] ?? ''
    const letter = word.slice(0, 2)
    const name = letters[letter]
    if (name === undefined && letter !== '-o') {
      if (takesValue.test(word)) rest.push(`${word} ${list[++at] ?? ''}`.trim())
      else if (!ignoredFlags.has(word)) rest.push(word)
      continue
    }
    const value = word.length > 2 ? word.slice(2) : (list[++at] ?? '')
    if (name !== undefined) set(name, value)
    else {
      const [, key = '', given = ''] = /^\s*(\w+)\s*[=\s]\s*(.*)$/s.exec(value) ?? [undefined, value]
      set(key.toLowerCase(), given)
    }
  }
  return { options, rest }
}

/** @param text all arguments, in the order in which ssh gets them */
export function sshArguments(text: string): SshArguments {
  const { options, rest } = optionsOf(words(text))
  const refused = rest.map((word) => ({
    what: `overlab knows no argument ${word} of ssh`,
    todo: "remove it, or write what it is for by overlab's own variables (ssh_jump, ssh_key, ssh_port, ssh_user)",
  }))
  const refuse = (what: string, todo: string) => void refused.push({ what, todo })
  const take = (name: string) => {
    const value = options.get(name)
    options.delete(name)
    return value === undefined || value === '' ? undefined : value
  }

  const command = take('proxycommand')
  const through = command === undefined ? undefined : jumpOfCommand(command)
  if (command !== undefined && command !== 'none' && through === undefined)
    refuse('overlab runs no ProxyCommand but ssh -W %h:%p USER@HOST', jumpTodo)
  const hops = take('proxyjump') ?? through
  const jump = hops === undefined || hops === 'none' ? undefined : jumpOf(hops, refuse)

  const port = take('port')
  if (port !== undefined && !isPort(port)) refuse(`${port} is no port`, 'write a number from 1 to 65535')
  const knownHosts = take('userknownhostsfile')
  const checking = take('stricthostkeychecking')?.toLowerCase()
  if (knownHosts === '/dev/null' || checking === 'no' || checking === 'off')
    refuse(
      'overlab takes no host key on trust',
      'remove it, and pin the key by ssh_host_key, or log in once by ssh, so that it stands in known_hosts',
    )
  const key = take('identityfile')
  const user = take('user')
  for (const name of options.keys())
    if (!ignoredOptions.has(name))
      refuse(
        `overlab knows no option ${name} of ssh`,
        "remove it, or write what it is for by overlab's own variables",
      )
  return {
    ...(jump && { jump }),
    ...(key !== undefined && { key }),
    ...(port !== undefined && isPort(port) && { port: Number(port) }),
    ...(user !== undefined && { user }),
    ...(knownHosts !== undefined && knownHosts !== '/dev/null' && { knownHosts }),
    refused,
  }
}

/** `ssh -W %h:%p [-q] [-p PORT] USER@HOST`, which was written before there was ProxyJump, as `USER@HOST:PORT`. */
function jumpOfCommand(command: string): string | undefined {
  const [ssh = '', ...more] = command.split(/\s+/)
  const { options, rest } = optionsOf(more.filter((word, at) => word !== '-W' && more[at - 1] !== '-W'))
  const [target, ...others] = rest
  const port = options.get('port')
  const user = options.get('user')
  for (const name of ['port', 'user', ...ignoredOptions]) options.delete(name)
  const plain = /(^|\/)ssh$/.test(ssh) && /-W\s+(%h:%p|"%h:%p")/.test(command) && options.size === 0
  if (!plain || target === undefined || target.startsWith('-') || others.length > 0) return undefined
  const named = target.includes('@') || user === undefined ? target : `${user}@${target}`
  return port === undefined ? named : `${named}:${port}`
}

function jumpOf(hops: string, refuse: (what: string, todo: string) => void): SshArguments['jump'] {
  if (hops.includes(',')) {
    refuse(`${hops} names several jump hosts, and overlab goes over one`, jumpTodo)
    return undefined
  }
  const [, user, v6, name, port] =
    /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:\s]+))(?::(\d+))?$/.exec(hops) ?? []
  const host = v6 ?? name
  if (host === undefined || (port !== undefined && !isPort(port))) {
    refuse(`${hops} is no jump host`, jumpTodo)
    return undefined
  }
  if (user === undefined) {
    refuse(
      `${hops} names no user: ssh would take yours here, overlab root`,
      `write ProxyJump=USER@${hops}, or ssh_jump: {host: ${host}, user: NAME}`,
    )
    return undefined
  }
  return { host, user, ...(port !== undefined && { port: Number(port) }) }
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535
}
