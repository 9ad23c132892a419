# setup.sh LAB NAME ADDRESS PREFIX CONTROLLER MTU MAC PORT, run by boot.sh inside the machine's new namespaces, all
# but the pid namespace: whatever fails here fails before there is a machine, and takes the namespaces with it.
here=${0%/*}
. "$here/../lab/lib.sh"
lab=$1 name=$2 address=$3 prefix=$4 controller=$5 mtu=$6 mac=$7 port=$8
dir=$labs/$lab
machine=$dir/machines/$name

printf '%s' "$name" >/proc/sys/kernel/hostname
# A new network namespace takes these from the host's; a machine has the kernel's own defaults, wherever it runs.
for scope in all default; do
  for setting in forwarding=0 rp_filter=0 send_redirects=1 accept_redirects=1 accept_source_route=0 arp_ignore=0 arp_announce=0 log_martians=0; do
    echo "${setting#*=}" >"/proc/sys/net/ipv4/conf/$scope/${setting%=*}"
  done
done
attach $$

cd "$machine"
mount -t overlay overlay -o "lowerdir=$dir/base/upper:/,upperdir=$machine/upper,workdir=$machine/work" root
# The machine's files are its own to change: what is written from out here must not follow a link of theirs.
if [ -L root/run ] || [ ! -d root/run ]; then
  rm -rf root/run
  mkdir root/run
fi
mount -t tmpfs -o mode=755,size=64m run root/run
mkdir root/run/overlab root/run/overlab/host root/run/sshd root/run/lock
# What the lab shares with all its machines, now or later.
mkdir root/run/overlab/shared
mkdir -p "$dir/shared"
mount --bind "$dir/shared" root/run/overlab/shared
mount -o remount,bind,ro root/run/overlab/shared
cp "$here/init.sh" "$here/fstab" "$here/sshd_config" hostkey "$dir/id_ed25519.pub" root/run/overlab/
printf 'name=%s\naddress=%s\nmac=%s\n' "$name" "$address" "$mac" >root/run/overlab/machine
if [ -s "$dir/base/sshd_config" ]; then cat "$dir/base/sshd_config" >>root/run/overlab/sshd_config; fi
printf 'ListenAddress %s:22\n' "$address" >>root/run/overlab/sshd_config

# The first child of a shell in this state is pid 1 of the new pid namespace; the shell itself stays outside and ends.
# Then wait until pid 1 has let go of the machine's lock, which is when it has written down who it is.
exec 7<"$machine"
unshare --pid sh -c 'setsid sh "$1" "$2" 7<&- </dev/null >"$2/console" 2>&1 &' sh "$here/enter.sh" "$machine"
exec 8<&-
flock -w 10 -x 7
