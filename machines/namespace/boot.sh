# boot.sh LAB NAME ADDRESS PREFIX CONTROLLER MTU MAC PORT PROGRAMS VERSION: starts a machine unless it runs as told. PROGRAMS
# is a script of that VERSION that puts BPF programs into the folder that it is given, of the machine's own bpffs: its root may not load any.
here=${0%/*}
. "$here/../lab/lib.sh"
lab=$1 name=$2 address=$3 prefix=$4 controller=$5 mtu=$6 mac=$7 port=$8 programs=$9
shift 9
version=$1
dir=$labs/$lab
machine=$dir/machines/$name

lock -s
[ -e "$dir/ready" ] || die "lab $lab has no underlay"
[ -d "$machine" ] || mkdir -p "$machine"
[ -e "$dir/base/trees" ] || die "lab $lab was made by an older version of overlab; destroy it, then make it again"
lock_machine "$machine"
cd "$machine"
mkdir -p root

make_host_key
spec="$address $prefix $controller $mtu $mac"
was=
{ read -r was <spec; } 2>/dev/null || :
give_programs() {
  if mounted "$dir/bpf"; then
    mkdir -p "$dir/bpf/$name"
    sh -euc "$programs" sh "$dir/bpf/$name/given" "$machine/object" >programs 2>&1 || :
    chown -hR "$machine_root:$machine_root" "$dir/bpf/$name"
  fi
  echo "$version" >given
}
if alive "$machine"; then
  if [ "$was" = "$spec" ]; then
    give_programs
    if grep -q '^ *eth0:' "/proc/$pid/net/dev"; then exit; fi
    attach "$pid" nsenter --net="/proc/$pid/ns/net"
    exit
  fi
  power_cut "$machine"
fi
rm -f pid
record namespace "$spec"
# What a kernel holds goes with it.
rm -rf "$dir/bpf/$name"
give_programs

# Pid 1 waits for a word on this pipe, until all is prepared; it ends when the pipe does.
rm -f go
mkfifo go
exec 6<>go
unshare --mount --propagation private sh "$here/setup.sh" "$lab" "$name" "$address" "$prefix" "$controller" "$mtu" "$mac" "$port"
# The rest of this computer's files, from out here: `umount` of the machine is the machine's.
read -r pid _ <pid
nsenter --pid="/proc/$pid/ns/pid" umount -l -N "/proc/$pid/ns/mnt" /run/overlab/host
echo go >&6
