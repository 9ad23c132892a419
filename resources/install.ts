/** How missing packages are installed on a host that exists: Debian and Ubuntu. */
import { packageOf } from '../machines/ssh/facts.ts'
import { hostFolder } from '../modules/owner.ts'
import { quote } from '../remote/quote.ts'
import { rootLine } from '../remote/shell.ts'

/**
 * Succeeds in any case: what apt-get says of a failure is kept on the host, where the data plane's error takes it from,
 * after the other hosts are finished.
 */
export function installLine(packages: readonly string[], become: boolean): string {
  const words = packages.map(quote).join(' ')
  const tools = Object.keys(packageOf).filter((tool) => packages.includes(packageOf[tool]!))
  return rootLine(
    [
      `d=${hostFolder}`,
      'mkdir -p -m 700 $d',
      'export DEBIAN_FRONTEND=noninteractive',
      // A package that is there and whose files are not is installed anew.
      `install() { apt-get -q update; apt-get -q install -y --no-install-recommends --reinstall ${words} && have; }`,
      `have() { for t in ${tools.join(' ')}; do command -v $t >/dev/null || { echo "$t is still missing"; return 1; }; done; }`,
      `if install >$d/packages.new 2>&1 </dev/null; then rm -f $d/packages.new $d/packages.log; echo 'installed: ${packages.join(' ')}'`,
      `else { echo 'apt-get install ${packages.join(' ')}'; tail -n 4 $d/packages.new; } >$d/packages.log; rm -f $d/packages.new; cat $d/packages.log >&2; fi`,
    ].join('\n'),
    become,
  )
}
