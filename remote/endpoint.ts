/** A host and a port as one text; an IPv6 address in brackets, so that its last colon is the port's. */
export function endpoint(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
