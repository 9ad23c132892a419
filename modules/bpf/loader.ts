/** Shell for a host: loads the object once, pins its programs and maps, and takes them away again. */
import { bpfFolder, protocol } from '../owner.ts'
import { isGiven, letGo, takeGiven } from './given.ts'
import { decapProgram, encapPath, encapProgram, mapNames, peersPath } from './names.ts'
import { objectDigest, objectLines } from './object.ts'

const objectPath = `/run/overlab-udp-${objectDigest}.o`
/** Root of the first user namespace. */
const mayLoad = `[ "$(cut -c 1-40 /proc/self/uid_map | tr -s ' ')" = ' 0 0 4294967295' ]`
const mayNot =
  'root of a user namespace may load no BPF program, and a machine of overlab is given them at its start; its file programs in /run/overlab/LAB/machines says what went wrong then. Cut its power, and run up again'
const fresh = `${bpfFolder}/new`

/**
 * Shell commands, one a line, that leave both programs and all maps pinned. A new version takes over the maps of
 * the old one, so that it knows the peers at once. What an interrupted run left is done again.
 */
export function loadLines(): string[] {
  const complete = `[ -e ${encapPath} ] && [ -e ${bpfFolder}/${decapProgram} ] && ${mapNames.map((map) => `[ -e ${bpfFolder}/${map} ]`).join(' && ')}`
  const reuse = `$(for m in ${mapNames.join(' ')}; do if [ -e ${bpfFolder}/$m ]; then echo map name $m pinned ${bpfFolder}/$m; fi; done)`
  // Of the maps only those are moved that were not there; the others are pinned already.
  const keep = `for m in ${mapNames.join(' ')}; do [ -e ${bpfFolder}/$m ] || mv ${fresh}/$m ${bpfFolder}/$m; done`
  const load = [
    `orphans=$([ -e ${peersPath} ] || echo yes)`,
    `printf %s ${objectLines.join('')} | base64 -d | gzip -d > ${objectPath}`,
    `rm -rf ${fresh}`,
    // Quiet unless it fails: libbpf is talkative.
    `{ ${mayLoad} || { echo '${mayNot}' >&2; exit 1; }; }`,
    `said=$(bpftool prog loadall ${objectPath} ${fresh} ${reuse} pinmaps ${fresh} 2>&1) || { echo "$said" >&2; exit 1; }`,
    keep,
    `mv ${fresh}/overlab_encap ${encapPath}`,
    `mv ${fresh}/overlab_decap ${bpfFolder}/${decapProgram}`,
    `rm -rf ${fresh} ${objectPath}`,
    `{ [ -z "$orphans" ] || ${repoint}; }`,
  ].join(' && ')
  return [
    `command -v bpftool >/dev/null || { echo 'bpftool is missing; install it (Debian: apt-get install bpftool; Ubuntu: linux-tools-generic)' >&2; exit 1; }`,
    `mkdir -p ${bpfFolder}`,
    `[ "$(stat -f -c %T ${bpfFolder})" = bpf_fs ] || mount -t bpf -o mode=700 overlab ${bpfFolder}`,
    // `|| exit`: `sh -e` overlooks a failure inside an and-list.
    `if ! { ${complete}; }; then if ${isGiven}; then ${takeGiven} || exit 1; else { ${load}; } || exit 1; fi; fi`,
  ]
}

/**
 * Routes that are there hold the program they were made with, and its maps. Where the maps had to be made anew
 * (someone unmounted the bpffs), such a route would look right and use peers that nobody can change any more.
 * The kernel compares programs by their names alone, so that `replace` would change nothing here.
 */
const repoint =
  `ip -4 route show proto ${protocol} | ` +
  `sed -n 's|^\\([0-9./]*\\) *encap bpf xmit overlab-udp-[^ ]* dev \\([^ ]*\\) .*src \\([0-9.]*\\).*|` +
  `route del \\1 dev \\2 proto ${protocol}\\nroute add \\1 encap bpf headroom 28 xmit pinned ${encapPath} dev \\2 src \\3 proto ${protocol}|p' | ip -batch -`

/** Removes the pins of other versions. */
export const forgetOldLine = `for p in ${bpfFolder}/overlab-udp-*; do case $p in */${encapProgram}|*/${decapProgram}) ;; *) rm -f "$p" ;; esac; done`

/** Removes all pins and the bpffs, but leaves a bpffs that was given. What a route or a filter still holds lives on in it. */
export const unloadLine = `if [ -d ${bpfFolder}/given ]; then ${letGo}; elif [ "$(stat -f -c %T ${bpfFolder} 2>/dev/null)" = bpf_fs ]; then umount ${bpfFolder}; fi; rmdir ${bpfFolder} 2>/dev/null || :`
