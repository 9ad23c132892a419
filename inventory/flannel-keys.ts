/** What flannel v0.28 understands and overlab does not: refused by name, never ignored. */

/** Keys of net-conf.json (flannel's pkg/subnet/config.go). */
export const unsupportedNetworkKeys = [
  'IPv6Network',
  'IPv6SubnetLen',
  'IPv6SubnetMin',
  'IPv6SubnetMax',
  'Networks',
  'IPv6Networks',
] as const

/** Backend types (flannel's pkg/backend), some of them of older releases. */
export const unsupportedBackends = [
  'alloc',
  'ali-vpc',
  'aws-vpc',
  'extension',
  'gce',
  'ipip',
  'ipsec',
  'tencent-vpc',
  'wireguard',
] as const

/** Keys of the unsupported backends. */
export const unsupportedBackendKeys = [
  'ESPProposal',
  'UDPEncap',
  'PSK',
  'ListenPort',
  'ListenPortV6',
  'Mode',
  'PersistentKeepaliveInterval',
  'PreStartupCommand',
  'PostStartupCommand',
  'SubnetAddCommand',
  'SubnetRemoveCommand',
  'ShutdownCommand',
] as const

/** The two halves of the sentence for all of them. */
export function unsupported(what: string): { what: string; todo: string } {
  return { what: `flannel knows ${what}, overlab does not support it yet`, todo: 'remove it' }
}
