# stop.sh LAB NAME PORT keep|remove: pulls a machine's plug; its files stay or go.
. "${0%/*}/lib.sh"
lab=$1 name=$2 port=$3 files=$4
dir=$labs/$lab
machine=$dir/machines/$name
[ -d "$machine" ] || exit 0

lock -s
[ -d "$machine" ] || exit 0
lock_machine "$machine"
power_cut "$machine"
rm -f "$machine/pid"
# The kernel gives the port back some time after the machine's end; by then another one may have its name.
nsenter --net="$dir/underlay" ip link del dev "$port" 2>/dev/null || :
if [ "$files" = remove ]; then
  rm -rf --one-file-system "${disks:?}/$lab/$name" "$machine"
  rm -rf "$dir/bpf/$name"
  rmdir "$disks/$lab" "$disks" 2>/dev/null || :
fi
