/** Can Pulumi's own downloads be had here? Asked once a run, and only where something is missing. */
const host = 'https://get.pulumi.com/'

/** Time to answer, in ms: a reachable host needs less than a second, and networks that drop packets never answer. */
const patience = 5000

let answer: Promise<boolean> | undefined

/** `OVERLAB_OFFLINE=1` answers for a network that is known to have no way out, and for tests. */
export function pulumiDownloads(): Promise<boolean> {
  if (process.env['OVERLAB_OFFLINE']) return Promise.resolve(false)
  answer ??= fetch(host + 'install.sh', { method: 'HEAD', signal: AbortSignal.timeout(patience) }).then(
    (response) => response.ok,
    () => false,
  )
  return answer
}
