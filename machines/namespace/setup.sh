# setup.sh LAB NAME ADDRESS PREFIX CONTROLLER MTU MAC PORT, run by boot.sh in a mount namespace of its
# own: prepares the machine's files and namespaces, and lets its pid 1 go. Whatever fails here fails before there is a
# machine, and takes the namespaces with it.
#
# Who is root in a machine is nobody on this computer: the machine's user namespace maps its ids 0 to 65535 to ids that
# nothing else has. So all that its root may do ends at the machine's own namespaces. That is the boundary; and since
# what is mounted here is the outer user namespace's, the machine can take away none of it.
here=${0%/*}
. "$here/../lab/lib.sh"
lab=$1 name=$2 address=$3 prefix=$4 controller=$5 mtu=$6 mac=$7 port=$8
dir=$labs/$lab
machine=$dir/machines/$name
cd "$machine"

# It waits for this script, which holds the other end of its pipe.
rm -f hold
mkfifo hold
exec 5<>hold
rm -f console
exec 7>>console

unshare --user cat <hold >/dev/null 2>&7 5<&- 6<&- 7>&- 8<&- 9<&- &
holder=$!
own=$(readlink /proc/self/ns/user)
tries=0
until other=$(readlink "/proc/$holder/ns/user") && [ "$other" != "$own" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 1000 ] && kill -0 "$holder" 2>/dev/null ||
    die "this kernel gives no user namespace, which keeps a machine's root from being this computer's ($(tail -n 1 console)); see: sysctl user.max_user_namespaces. Machines of the kind qemu need none"
  sleep 0.005
done
printf '0 %s 65536\n' "$machine_root" >"/proc/$holder/uid_map"
printf '0 %s 65536\n' "$machine_root" >"/proc/$holder/gid_map"

# A copy, since this computer's nobody may not read the folder of this script.
cp "$here/enter.sh" .
# nsenter makes itself root of the new user namespace, then the others are made in it and belong to it. The first child
# of a shell in the state that `unshare --pid` leaves is pid 1 of the new pid namespace; the shell itself ends.
nsenter --user="/proc/$holder/ns/user" unshare --net --uts --ipc --cgroup --pid \
  sh -c 'setsid sh enter.sh </dev/null >&7 2>&1 & echo $!' 5<&- 8<&- 9<&- >init
read -r init <init
rm init
exec 5<&- 7>&-
rm -f hold
read -r stat <"/proc/$init/stat" || die "the machine's first process ended; its console ends with: $(tail -n 3 console)"

nsenter --uts="/proc/$init/ns/uts" sh -c 'printf "%s" "$1" >/proc/sys/kernel/hostname' sh "$name"
# A new network namespace takes these from the host's; a machine has the kernel's own defaults, wherever it runs.
nsenter --net="/proc/$init/ns/net" sh -euc '
  for scope in all default; do
    for setting in forwarding=0 rp_filter=0 send_redirects=1 accept_redirects=1 accept_source_route=0 arp_ignore=0 arp_announce=0 log_martians=0; do
      echo "${setting#*=}" >"/proc/sys/net/ipv4/conf/$scope/${setting%=*}"
    done
  done'
attach "$init" nsenter --net="/proc/$init/ns/net"

# The folders are the machine's: its root makes and removes what it likes in them.
owned() {
  mkdir -p "$1" "$2"
  chown "$machine_root:$machine_root" "$1"
}
# safe_folder PATH below root: a folder, and no link on the way. The machine's files are its own to change, and nothing
# out here may follow where they lead.
safe_folder() {
  path=root
  rest=$1/
  while [ "$rest" ]; do
    path=$path/${rest%%/*}
    rest=${rest#*/}
    if [ -L "$path" ] || [ ! -d "$path" ]; then
      rm -rf "$path"
      mkdir "$path"
      chown "$machine_root:$machine_root" "$path"
    fi
  done
}
owned upper work
mount -t overlay overlay -o "lowerdir=$dir/base/root,upperdir=upper,workdir=work" root
while read -r tree; do
  layer=trees/$tree
  owned "$layer/upper" "$layer/work"
  safe_folder "$tree"
  mount -t overlay overlay -o "lowerdir=$dir/base/root/$tree:/$tree,upperdir=$layer/upper,workdir=$layer/work" "root/$tree"
done <"$dir/base/trees"
for folder in run proc sys; do safe_folder "$folder"; done
mount -t tmpfs -o "mode=755,size=64m,uid=$machine_root,gid=$machine_root" run root/run
mkdir root/run/overlab root/run/overlab/host root/run/overlab/shared root/run/overlab-bpf root/run/sshd root/run/lock
cp "$here/init.sh" "$here/fstab" "$here/sshd_config" hostkey "$dir/id_ed25519.pub" root/run/overlab/
printf 'name=%s\naddress=%s\nmac=%s\n' "$name" "$address" "$mac" >root/run/overlab/machine
if [ -s "$dir/base/sshd_config" ]; then cat "$dir/base/sshd_config" >>root/run/overlab/sshd_config; fi
printf 'ListenAddress %s:22\n' "$address" >>root/run/overlab/sshd_config
chown -R "$machine_root:$machine_root" root/run/overlab root/run/sshd root/run/lock
# What the lab shares with all its machines, now or later.
mkdir -p "$dir/shared"
mount --bind "$dir/shared" root/run/overlab/shared
mount -o remount,bind,ro root/run/overlab/shared
if [ -d "$dir/bpf/$name" ]; then mount --bind "$dir/bpf/$name" root/run/overlab-bpf; fi

started() {
  started=${20}
}
started ${stat##*) }
printf '%s %s\n' "$init" "$started" >pid.new
mv pid.new pid
# From inside the pid and the network namespace, since /proc and /sys show those of who mounts them. The last command of
# this computer's root in here is the one that puts the machine's files in the place of this computer's: any later one
# would be the machine's.
exec nsenter --pid="/proc/$init/ns/pid" --net="/proc/$init/ns/net" sh -euc '
  mount -t proc -o nosuid,nodev,noexec proc root/proc
  mount -t sysfs -o nosuid,nodev,noexec sysfs root/sys
  cd root
  exec pivot_root . run/overlab/host'
