/** Can Pulumi's own downloads be had here? Asked once a run, and only where something is missing. */
const host = 'https://get.pulumi.com/'

/** Time to answer, in ms: a reachable host needs less than a second, and networks that drop packets never answer. */
const patience = 5000

let answer: Promise<boolean> | undefined

/** Honours Node's own proxy settings only; Pulumi's downloads use the same host. */
export function pulumiDownloads(): Promise<boolean> {
  answer ??= fetch(host + 'install.sh', { method: 'HEAD', signal: AbortSignal.timeout(patience) }).then(
    (response) => response.ok,
    () => false,
  )
  return answer
}
