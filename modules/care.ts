/**
 * Care for hosts that overlab did not make. Before a change the way back from it is saved on the host with a timer,
 * which goes it unless overlab comes back over a new connection and says that it still can ("commit-confirm"). What
 * settings were before is kept, and given back when the overlay is taken away. Pure: these are scripts.
 */
import { heredoc } from '../remote/heredoc.ts'
import { setPath } from '../remote/shell.ts'
import { undoLines } from './undo.ts'
import type { HostPlan } from './host-plan.ts'
import type { Change } from './module.ts'
import { hostFolder } from './owner.ts'
import type { HostState } from './state.ts'

export interface Care {
  /** Whose the overlay is: the lab, its stack and folder. */
  readonly owner: string
  /** Seconds after which a change that is not confirmed is undone; 0 = never. */
  readonly confirm: number
}

/**
 * - `armed`: a change waits to be confirmed; its renaming decides who comes first, the timer or overlab.
 * - `running`: it is being undone. `undone`: it was.
 */
const head = `d=${hostFolder}
cancel() {
  [ -s $d/timer ] || return 0
  read -r kind what <$d/timer
  case $kind in
    unit) systemctl stop "$what.timer" 2>/dev/null ;;
    pid) grep -q ${hostFolder} "/proc/$what/cmdline" 2>/dev/null && kill -- "-$what" 2>/dev/null ;;
  esac
  rm -f $d/timer
}`

/** A timer of systemd's where that runs, since it outlives whatever becomes of the session; else a sleeping shell. */
const timer = (seconds: number): string => `
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null &&
  systemd-run --quiet --collect --unit "overlab-undo-$$" --on-active ${seconds}s --timer-property AccuracySec=1s /bin/sh $d/undo 2>/dev/null
then echo "unit overlab-undo-$$" >$d/timer
else
  setsid sh -c 'sleep ${seconds}; exec sh ${hostFolder}/undo' </dev/null >/dev/null 2>&1 &
  echo "pid $!" >$d/timer
fi`

/** For the timer: the shell that changes the host, and when it was started (field 22 of proc(5)'s stat). */
const change = 'set -- $(cat /proc/$$/stat); echo "$1 ${22}" >$d/change'

/** Where it still runs, with its way out cut, it would go on beside the undoing. (A sleeping shell is its child.) */
const endChange = `read -r pid started <$d/change
set -- $(cat "/proc/$pid/stat" 2>/dev/null)
if [ "\${22:-}" = "$started" ]; then
  kill -STOP "$pid"
  for one in $(cat "/proc/$pid/task/$pid/children") "$pid"; do [ "$one" = $$ ] || kill -KILL "$one"; done
fi`

/** Before a host is read: overlab is back by a new connection, so what still waits to be confirmed is. */
export const arrival = `${head}
if mv $d/armed $d/confirmed 2>/dev/null; then cancel; rm -f $d/confirmed $d/undo $d/change; fi
tries=0; while [ -e $d/running ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
if [ -s $d/packages.log ]; then cat $d/packages.log >&2; echo '@overlab packages'; exit 1; fi`

/** Before the first command that changes a host: says whose it is, keeps settings, saves the way back, starts the timer. */
export function departure(care: Care, changes: readonly Change[], held: HostState, plan: HostPlan): string {
  const settings = changes.flatMap(({ table, key }) => (table === 'sysctls' ? [key] : []))
  const lines = [head, `lost() { echo '@overlab not saved'; exit 1; }`, ...remember(care.owner, settings)]
  if (care.confirm > 0)
    lines.push(
      'cancel; rm -f $d/undone',
      ...heredoc('cat >$d/undo', undoScript(held, plan), '|| lost'),
      `${change} || lost`,
      ': >$d/armed || lost',
      timer(care.confirm),
    )
  return lines.join('\n')
}

/** The host keeps whose the overlay is, and what these settings are now. */
function remember(owner: string, settings: readonly string[]): string[] {
  return [
    `keep() { [ -e "$d/$1" ] || [ ! -e "$2" ] || { cat "$2" >$d/keep && mv $d/keep "$d/$1"; } || lost; }`,
    `mkdir -p -m 700 $d || lost`,
    ...heredoc('cat >$d/owner', [owner], '|| lost'),
    // A setting of a link that is yet to be made goes with that link.
    ...settings.map((key) => `keep '${savedName(key)}' '/proc/sys/${key}'`),
  ]
}

/** The same at a boot, which has emptied the memory. */
export function rememberAtBoot(owner: string, settings: readonly string[]): string[] {
  return [
    `d=${hostFolder}`,
    'lost() { echo "$d cannot be written" >&2; exit 1; }',
    ...remember(owner, settings),
  ]
}

/** Before a later part of the same change: the time begins anew. */
export function continuation({ confirm }: Care): string {
  if (confirm === 0) return ''
  return `${head}\n[ -e $d/armed ] || { echo '@overlab undone'; exit 1; }\ncancel\n${change}\n${timer(confirm)}`
}

/** Over a new connection, after the change. Where it comes too late, it prints `@overlab undone` and ends the script. */
export const confirmation = `${head}
if mv $d/armed $d/confirmed 2>/dev/null; then cancel; rm -f $d/confirmed $d/undo $d/change
else echo '@overlab undone'; exit 1; fi`

/** When the overlay has been taken away: settings become what they were, unless somebody set them since, and nothing is left. */
export function farewell(prior: HostState): string {
  const settings = Object.entries(prior.sysctls ?? {})
  return [
    `d=${hostFolder}`,
    ...settings.map(
      ([key, ours]) =>
        `[ ! -e "$d/${savedName(key)}" ] || [ "$(cat "/proc/sys/${key}" 2>/dev/null)" != '${ours}' ] || cat "$d/${savedName(key)}" >"/proc/sys/${key}"`,
    ),
    'rm -rf $d',
  ].join('\n')
}

function undoScript(held: HostState, plan: HostPlan): string[] {
  return [
    '# What this host held before overlab changed it. Run by a timer unless overlab confirms the change.',
    `d=${hostFolder}`,
    'mv $d/armed $d/running 2>/dev/null || exit 0',
    'exec >$d/undo.log 2>&1',
    endChange,
    'export LC_ALL=C',
    setPath,
    ...undoLines(held, plan),
    'rm -f $d/timer $d/change',
    'mv $d/running $d/undone',
  ]
}

/** Keys are paths below /proc/sys, of letters, digits, dots, dashes and underscores. */
function savedName(key: string): string {
  return `was:${key.replaceAll('/', ':')}`
}
