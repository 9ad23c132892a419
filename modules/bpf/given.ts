/**
 * Programs and maps that somebody else has loaded for a host. Root of a user namespace may use what is pinned, and
 * may load nothing (CAP_BPF is asked for in the first user namespace), so the one who made the machine gives it these.
 */
import { bpfFolder } from '../owner.ts'
import { decapPath, encapPath, mapNames, mapShapes, peersPath } from './names.ts'
import { objectDigest, objectLines } from './object.ts'

const given = `${bpfFolder}/given`

/**
 * A script for the one who gives. `$1` is the folder, on a bpffs, that the host sees as `given` of its own; `$2` a
 * path for a file that it needs meanwhile. Maps are made once and serve every version of the programs. They are made
 * here rather than by the object, since such maps need no BTF to be read, which is not given to a user namespace.
 */
export const giveScript = [
  'mkdir -p "$1/maps"',
  ...mapNames.map((map) => {
    const { type, key, value, entries, flags } = mapShapes[map]
    return `[ -e "$1/maps/${map}" ] || bpftool map create "$1/maps/${map}" type ${type} key ${key} value ${value} entries ${entries} name ${map} flags ${flags}`
  }),
  `if ! [ -e "$1/${objectDigest}/overlab_decap" ]; then`,
  `printf %s ${objectLines.join('')} | base64 -d | gzip -d >"$2"`,
  `rm -rf "$1/new"`,
  `bpftool prog loadall "$2" "$1/new" ${mapNames.map((map) => `map name ${map} pinned "$1/maps/${map}"`).join(' ')}`,
  `mv "$1/new" "$1/${objectDigest}"`,
  'rm -f "$2"',
  'fi',
].join('\n')

/** A condition of the shell: this version of the programs is given to this host. */
export const isGiven = `[ -e ${given}/${objectDigest}/overlab_decap ]`

/** Words of a shell, joined by `&&`: pins what is given where the datapath looks for it. Peers of earlier are none of now. */
export const takeGiven = [
  `{ [ -e ${peersPath} ] || ${emptied(`${given}/maps/overlab_peers`)}; }`,
  ...mapNames.map(
    (map) =>
      `{ [ -e ${bpfFolder}/${map} ] || bpftool map pin pinned ${given}/maps/${map} ${bpfFolder}/${map}; }`,
  ),
  `rm -f ${encapPath} ${decapPath}`,
  `bpftool prog pin pinned ${given}/${objectDigest}/overlab_encap ${encapPath}`,
  `bpftool prog pin pinned ${given}/${objectDigest}/overlab_decap ${decapPath}`,
].join(' && ')

/** Takes away the pins, and leaves what is given where it is. */
export const letGo = `rm -rf ${bpfFolder}/overlab*`

function emptied(map: string): string {
  // `{"key":["0x18","0x00",...],...}` becomes `map delete pinned MAP key 0x18 0x00 ...`.
  return (
    `bpftool -j map dump pinned ${map} | sed 's/"key":/\\n&/g' | sed -n 's/^"key":\\[\\([^]]*\\)\\].*/\\1/p' | tr -d '"' | tr , ' ' | ` +
    `sed 's|^|map delete pinned ${map} key |' | bpftool batch file - >/dev/null`
  )
}
