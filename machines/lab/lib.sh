# What the scripts beside this one share. Every script runs as root, is given its values as arguments
# (checked before by the caller), and converges: run again after any interruption, it ends in the same state.
set -eu
umask 022
export LC_ALL=C
labs=/run/overlab
# What is too large for memory: the disks of VMs.
disks=/var/lib/overlab
# Who root of a namespace machine is on this computer: the first of 65536 ids that it has for its users. They lie behind
# those that systemd gives to users and containers (systemd.io/UIDS-GIDS).
machine_root=1879048192

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# lock -x for what creates or deletes a lab, -s for what works on a machine inside one. The lock is a folder that none
# but root can open, on descriptor 9. The loop: it goes with the last lab.
lock() {
  while :; do
    mkdir -p "$labs"
    mkdir -m 700 "$labs/.lock" 2>/dev/null || :
    { command exec 9<"$labs/.lock"; } 2>/dev/null || continue
    flock -w 60 "$1" 9 || die "another overlab process has held $labs/.lock for more than 60 s; see: fuser -v $labs/.lock"
    [ "$labs/.lock" -ef /proc/self/fd/9 ] && return
  done
}

# forget_labs: takes away the folders of all labs, where there is none any more. Called under lock -x.
forget_labs() {
  rmdir "$disks" 2>/dev/null || :
  if [ "$(ls -A "$labs")" = .lock ]; then rmdir "$labs/.lock" "$labs" 2>/dev/null || :; fi
}

# lock_machine FOLDER, on descriptor 8.
lock_machine() {
  exec 8<"$1"
  flock -w 60 -x 8 || die "another overlab process has held $1 for more than 60 s; see: fuser -v $1"
}

# make_host_key: makes the machine's host key, unless it is here.
make_host_key() {
  [ ! -e hostkey ] || return 0
  rm -f new new.pub
  ssh-keygen -q -t ed25519 -N '' -C "$name" -f new
  mv new.pub hostkey.pub
  mv new hostkey
}

# record KIND SPEC: writes down how $name at $address is logged in to, and what it is started with.
record() {
  read -r key <hostkey.pub
  printf '%s %s\n' "$address" "${key% *}" >known_hosts
  printf 'Host %s\n  HostName %s\n  UserKnownHostsFile %s/known_hosts\n' "$name" "$address" "$PWD" >ssh_config
  printf '%s\n' "$1" >kind
  printf '%s\n' "$2" >spec
}

mounted() {
  while read -r _ _ _ _ where _; do
    [ "$where" = "$1" ] && return
  done </proc/self/mountinfo
  return 1
}

# has_link NAME, in this network namespace (/sys may have been mounted in another one).
has_link() {
  [ -e "/proc/sys/net/ipv4/conf/$1" ]
}

# alive MACHINE: is the init that the file MACHINE/pid names still that process? Sets `pid`. A pid alone could
# have been given to another process; pid and start time (field 22 of /proc/PID/stat) can't.
alive() {
  pid= started= stat=
  { read -r pid started <"$1/pid"; } 2>/dev/null || return 1
  { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 1
  alive_since "$started" ${stat##*) }
}
alive_since() {
  [ "$2" != Z ] && [ "$2" != X ] && [ "$1" = "${21}" ]
}

# power_cut MACHINE...: kills pid 1 of each, and with it everything in its pid namespace; returns when all are gone.
power_cut() {
  for machine; do
    if alive "$machine"; then kill -9 "$pid" 2>/dev/null || :; fi
  done
  for machine; do
    tries=0
    while alive "$machine"; do
      tries=$((tries + 1))
      [ "$tries" -lt 1000 ] || die "process $pid of $machine does not die within 10 s"
      sleep 0.01
    done
  done
}

# remove_underlay: takes away the underlay of $lab (controller's link $link, folder $dir), however little of it is there.
remove_underlay() {
  cd /
  if has_link "$link"; then
    # Without an alias: an interrupted underlay-up.sh. With another's: not ours.
    case $(ip link show dev "$link") in
    *"alias overlab $lab") ip link del dev "$link" ;;
    *"alias "*) ;;
    *) ip link del dev "$link" ;;
    esac
  fi
  for mount in underlay bpf; do
    while mounted "$dir/$mount"; do umount -l "$dir/$mount"; done
  done
  while mounted "$dir"; do umount -l "$dir"; done
  rm -rf --one-file-system "$dir" "${disks:?}/$lab"
  forget_labs
}

# attach PID COMMAND...: gives the network namespace of PID its NIC, eth0, joined to the underlay; COMMAND runs
# something inside that namespace. A port that a dying machine has not given back yet is taken from it.
attach() {
  into=$1
  shift
  create="link add dev $port mtu $mtu master underlay type veth peer name eth0 mtu $mtu address $mac netns $into
link set dev $port up"
  if ! printf '%s\n' "$create" | nsenter --net="$dir/underlay" ip -batch - 2>/dev/null; then
    nsenter --net="$dir/underlay" ip link del dev "$port" 2>/dev/null || :
    printf '%s\n' "$create" | nsenter --net="$dir/underlay" ip -batch -
  fi
  "$@" ip -batch - <<END
link set dev lo up
address add $address/$prefix broadcast + dev eth0
link set dev eth0 up
route add default via $controller dev eth0
END
  # Attaching the first qdisc stops the NIC for a moment (the kernel's qdisc_graft), which can cost a running lab a
  # packet when the udp backend's filter comes; a hook that nothing uses yet costs nothing. Not every kernel has it.
  "$@" tc qdisc add dev eth0 clsact 2>/dev/null || :
}
