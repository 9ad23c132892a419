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

if [ ! -e hostkey ]; then
  rm -f new new.pub
  ssh-keygen -q -t ed25519 -N '' -C "$name" -f new
  mv new.pub hostkey.pub
  mv new hostkey
fi
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
read -r key <hostkey.pub
printf '%s %s\n' "$address" "${key% *}" >known_hosts
printf 'Host %s\n  HostName %s\n  UserKnownHostsFile %s/known_hosts\n' "$name" "$address" "$machine" >ssh_config
echo namespace >kind
printf '%s\n' "$spec" >spec

exec unshare --mount --net --uts --ipc --cgroup --propagation private sh "$here/setup.sh" "$@"
