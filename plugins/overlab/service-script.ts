/**
 * The shell scripts that start, look at and end one process of a host. A process is known by its id, the time it
 * started at (ids are used again) and its words; `stamp` says by which settings it was started. Pure.
 */
import { createHash } from 'node:crypto'
import type { PlannedService } from '../../overlay/control-plane.ts'
import { quote } from '../../remote/quote.ts'

/** Its words are a program and arguments; no script, since the kernel shows a script's interpreter instead. */
export interface Service extends Omit<PlannedService, 'host'> {
  /** What it is called on its host; its folder is /run/overlab-services/UNIT. */
  readonly unit: string
}

/** Exit codes of the scripts, beside the shell's own. */
export const exits = { ended: 3, notReady: 4, gone: 5 } as const

/** Seconds until a process that was started must be ready. */
export const patience = 60

/** Starts it unless it runs by these very settings; ends one that runs by others. Prints `PID STARTTIME`. */
export function convergeScript(service: Service, seconds = patience): string {
  const { argv, environment, folders, cleanup } = service
  const variables = Object.entries({ PATH: path, HOME: '/root', ...environment })
  const env = variables.map(([key, value]) => quote(`${key}=${value}`)).join(' ')
  return `${common(service)}
mkdir -p "$dir"
hold
# One that lives but does not do its work is started anew.
if running && ! ready_within 30; then end; fi
if ! running; then
  old=$(cat "$dir/stamp" 2>/dev/null || :)
  end
  if [ -n "$old" ] && [ "$old" != "$stamp" ]; then sh -e "$dir/cleanup"; fi
  ${folders.length > 0 ? `mkdir -p -m 700 ${folders.map(quote).join(' ')}` : ':'}
  printf '%s\\n' "$stamp" >"$dir/stamp"
  cd /
  # The child is no leader of a process group, so it becomes setsid, env and the program in turn, all under one id.
  setsid env -i ${env} ${argv.map(quote).join(' ')} </dev/null >"$log" 2>&1 9>&- &
  pid=$!
  { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || stat=
  started_at \${stat##*) } 2>/dev/null || at=0
  printf '%s %s\\n' "$pid" "$at" >"$dir/pid"
  # Without a test of its own, it works if it still lives after a second.
  ${service.ready.trim() === '' ? 'sleep 1' : ':'}
fi
printf '%s\\n' ${quote(cleanup)} >"$dir/cleanup"
if ! ready_within ${seconds * 10}; then
  tail -n 20 "$log" >&2
  alive || exit ${exits.ended}
  exit ${exits.notReady}
fi
cat "$dir/pid"
`
}

/**
 * Prints `PID STARTTIME` where it runs by these very settings and does its work; ends with `exits.gone` or
 * `exits.notReady` where it does not.
 */
export function readScript(service: Service): string {
  return `${common(service)}
running || exit ${exits.gone}
ready_within 20 || exit ${exits.notReady}
cat "$dir/pid"
`
}

/** Ends it and takes away what it leaves. No error where it is not there. */
export function removeScript(service: Service): string {
  return `${common(service)}
if [ -d "$dir" ]; then
  hold
  end
  if [ -e "$dir/cleanup" ]; then sh -e "$dir/cleanup"; fi
  rm -rf "$dir"
fi
${service.folders.length > 0 ? `rm -rf ${service.folders.map(quote).join(' ')}` : ':'}
rmdir ${parent} 2>/dev/null || :
`
}

const parent = '/run/overlab-services'
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function common(service: Service): string {
  const { unit, argv, environment, ready, triggers } = service
  const settings = JSON.stringify([argv, Object.entries(environment).sort(), triggers])
  const words = Buffer.from(argv.map((word) => `${word}\0`).join('')).toString('base64')
  return `set -eu
export LC_ALL=C
dir=${parent}/${unit}
log=$dir/log
stamp=${createHash('sha256').update(settings).digest('hex')}
alive() {
  pid= started= stat=
  { read -r pid started <"$dir/pid"; } 2>/dev/null || return 1
  { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 1
  lives_since "$started" \${stat##*) }
}
# Of /proc/PID/stat after the name: the state is the first word, the time of the start the twentieth.
lives_since() {
  [ "$2" != Z ] && [ "$2" != X ] && [ "$1" = "\${21}" ]
}
started_at() {
  at=\${20}
}
running() {
  alive && [ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ] &&
    [ "$(base64 -w0 <"/proc/$pid/cmdline" 2>/dev/null)" = ${quote(words)} ]
}
ready() {
  ${ready.trim() || ':'}
}
# ready_within TENTHS of a second; a process that ends is not ready at once.
ready_within() {
  left=$1
  until running && ready; do
    alive && [ "$left" -gt 0 ] || return 1
    left=$((left - 1))
    sleep 0.1
  done
}
end() {
  alive || return 0
  kill -TERM "$pid" 2>/dev/null || :
  tries=0
  while alive; do
    tries=$((tries + 1))
    if [ "$tries" -eq 200 ]; then kill -KILL "$pid" 2>/dev/null || :; fi
    [ "$tries" -lt 400 ] || { echo "process $pid does not end" >&2; exit 1; }
    sleep 0.05
  done
}
hold() {
  exec 9>"$dir/lock"
  flock -w 90 9 || { echo "another overlab process has held $dir/lock for more than 90 s" >&2; exit 1; }
}`
}
