# boot.sh LAB NAME ADDRESS PREFIX CONTROLLER MTU MAC PORT SPEC HUNG BASE FORMAT START SIZE -- COMMAND...: starts a VM unless
# it runs as told. Its disk lies over BASE (of FORMAT), and holds SIZE GiB; without SIZE as much as BASE. START is `kernel`
# where kernel and initrd lie beside BASE, `seed` where BASE boots by itself. Where the process HUNG is the VM's, it is
# ended first. COMMAND starts it, in the machine's folder.
here=${0%/*}
. "$here/../lab/lib.sh"
lab=$1 name=$2 address=$3 prefix=$4 controller=$5 mtu=$6 mac=$7 port=$8 spec=$9
shift 9
hung=$1 base=$2 format=$3 start=$4 size=$5
shift 6
dir=$labs/$lab
machine=$dir/machines/$name
disk=$disks/$lab/$name/disk.qcow2

lock -s
[ -e "$dir/ready" ] || die "lab $lab has no underlay"
[ -d "$machine" ] || mkdir -p "$machine"
lock_machine "$machine"
cd "$machine"
make_host_key
# Said while it still runs.
if [ "$size" ]; then
  from=$disk
  [ -e "$from" ] || from=$base
  bytes=$(qemu-img info -U "$from" | sed -n 's/^virtual size:.*(\([0-9]*\) bytes)$/\1/p' | head -n 1)
  has=$(((${bytes:-0} + 1073741823) / 1073741824))
  [ "$has" -le "$size" ] || die "its disk has $has GiB, and a disk can grow, not shrink to $size; set disk: $has or more. (Taken out of the inventory and put in again, the machine gets a new one)"
fi
was=
{ read -r was <spec; } 2>/dev/null || :
if alive "$machine"; then
  if [ "$was" = "$spec" ] && [ "$pid" != "$hung" ]; then exit; fi
  power_cut "$machine"
fi
rm -f pid console messages
record qemu "$spec"

mkdir -p "${disk%/*}"
chmod 700 "${disk%/*}"
# A disk stays with the image that it was made over, and so with that one's kernel.
if [ -e "$disk" ]; then read -r base <"${disk%/*}/base"; fi
[ -e "$base" ] || die "the image $base is gone; destroy the lab, or put it back"
free=$(df -Pk "${disk%/*}" | awk 'NR == 2 { print int($4 / 1024) }')
[ "$free" -ge 256 ] || die "$disks has $free MiB free; a VM's disk needs 256 to start with"
if [ ! -e "$disk" ]; then
  printf '%s\n' "$base" >"${disk%/*}/base"
  qemu-img create -q -f qcow2 -b "$base" -F "$format" "$disk.new" >messages
  mv "$disk.new" "$disk"
fi
if [ "$size" ]; then qemu-img resize -q "$disk" "${size}G" >messages; fi

# What overlab gives the machine. Its kernel unpacks a second archive after the first one; a whole image reads a drive
# by the way of cloud-init (NoCloud).
rm -rf overlab seed
mkdir overlab
cp hostkey hostkey.pub "$dir/id_ed25519.pub" overlab/
printf '%s=%s\n' name "$name" address "$address" prefix "$prefix" controller "$controller" mtu "$mtu" grow "$size" >overlab/machine
rm -f kernel initrd
if [ "$start" = kernel ]; then
  ln -s "${base%/*}/kernel" kernel
  find overlab | "${base%/*}/busybox" cpio -o -H newc 2>/dev/null | cat "${base%/*}/initrd" - >initrd
else
  sh "$here/seed.sh" "$mac"
fi

nsenter --net="$dir/underlay" ip link del dev "$port" 2>/dev/null || :
nsenter --net="$dir/underlay" sh -eu -c '
  ip tuntap add dev "$1" mode tap
  ip link set dev "$1" mtu "$2" master underlay up' sh "$port" "$mtu"

# It writes down who it is, then becomes the VM, with no lock in its hands.
exec 7<"$machine"
nsenter --net="$dir/underlay" setsid sh -c '
  read -r stat </proc/self/stat
  started() { started=${20}; }
  started ${stat##*) }
  printf "%s %s\n" "${stat%% *}" "$started" >pid
  exec 7<&- 8<&- 9<&-
  exec "$@"' sh "$@" </dev/null >messages 2>&1 &
exec 8<&-
flock -w 10 -x 7
