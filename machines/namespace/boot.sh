# boot.sh LAB NAME ADDRESS PREFIX CONTROLLER MTU MAC PORT: starts a machine unless it runs as told.
here=${0%/*}
. "$here/../lab/lib.sh"
lab=$1 name=$2 address=$3 prefix=$4 controller=$5 mtu=$6 mac=$7 port=$8
dir=$labs/$lab
machine=$dir/machines/$name

lock -s
[ -e "$dir/ready" ] || die "lab $lab has no underlay"
[ -d "$machine" ] || mkdir -p "$machine"
lock_machine "$machine"
cd "$machine"
[ -d root ] || mkdir -p upper work root

make_host_key
spec="$address $prefix $controller $mtu $mac"
was=
{ read -r was <spec; } 2>/dev/null || :
if alive "$machine"; then
  if [ "$was" = "$spec" ]; then
    if grep -q '^ *eth0:' "/proc/$pid/net/dev"; then exit; fi
    attach "$pid" nsenter --net="/proc/$pid/ns/net"
    exit
  fi
  power_cut "$machine"
fi
rm -f pid
record namespace "$spec"

exec unshare --mount --net --uts --ipc --cgroup --propagation private sh "$here/setup.sh" "$@"
