# underlay-up.sh LAB LINK CONTROLLER PREFIX MTU UID OWNER CONTROLLER_AS_NUMBER
# Prints what could be in the way, waits for "go" on standard input, and only then changes anything. The lock is
# held meanwhile, so that what was looked at is still true.
here=${0%/*}
. "$here/lib.sh"
lab=$1 link=$2 controller=$3 prefix=$4 mtu=$5 uid=$6 owner=$7 number=$8
dir=$labs/$lab

lock -x
for file in "$labs"/*/owner; do
  if [ -e "$file" ]; then cat "$file"; fi
done
echo --
ip -4 -j address
ip -4 -j route show table all
if has_link "$link"; then ip -j link show dev "$link"; else echo '[]'; fi
echo end
read -r answer || answer=no
if [ "$answer" != go ]; then
  forget_labs
  exit
fi

# Nobody would know of a new lab that failed halfway: it is taken back. (After a kill the next call goes on.)
if [ ! -e "$dir/owner" ]; then trap 'code=$?; [ "$code" -eq 0 ] || remove_underlay; exit "$code"' EXIT; fi
mkdir -p "$dir"
mounted "$dir" || mount -t tmpfs -o mode=700,size=25% overlab "$dir"
cd "$dir"
printf '%s\n' "$owner" >owner.new
mv owner.new owner
mkdir -p machines

if [ ! -e id_ed25519 ]; then
  rm -f new new.pub
  ssh-keygen -q -t ed25519 -N '' -C "overlab $lab" -f new
  chown "$uid" new
  mv new.pub id_ed25519.pub
  mv new id_ed25519
fi
cat >ssh_config <<END
# ssh -F $dir/ssh_config HOST
Include $dir/machines/*/ssh_config
Host *
  User root
  IdentityFile $dir/id_ed25519
  IdentitiesOnly yes
  StrictHostKeyChecking yes
  LogLevel ERROR
END
# Where the machines' BPF programs are pinned; not every kernel has it.
if ! mounted "$dir/bpf"; then
  mkdir -p bpf
  mount -t bpf -o mode=755 overlab bpf 2>/dev/null || :
fi
if [ ! -e base ]; then
  rm -rf base.new
  mkdir base.new
  sh "$here/../namespace/base.sh" "$dir/base.new"
  mv base.new base
fi

if [ ! -e ready ] || ! mounted "$dir/underlay"; then
  rm -f ready
  if has_link "$link"; then ip link del dev "$link"; fi
  while mounted "$dir/underlay"; do umount -l underlay; done
  : >underlay
  unshare --net="$dir/underlay" true
  nsenter --net="$dir/underlay" sh -eu -c '
    if [ -e /proc/sys/net/ipv6/conf/default/disable_ipv6 ]; then echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; fi
    ip -batch - <<END
link add name underlay mtu '"$mtu"' type bridge forward_delay 0 mcast_snooping 0
link set dev underlay up
END'
fi
if [ -e ready ] && ! has_link "$link"; then rm ready; fi
if [ ! -e ready ]; then
  ip link add dev "$link" mtu "$mtu" type veth peer name controller mtu "$mtu" netns "$dir/underlay"
  ip -batch - <<END
link set dev $link alias "overlab $lab"
address add $controller/$prefix broadcast + dev $link
END
  # A link has no IPv6 where its MTU is below 1280 or the kernel has none.
  if [ -e "/proc/sys/net/ipv6/conf/$link" ]; then ip link set dev "$link" addrgenmode none; fi
  # Packets from the lab reach this machine and go no further. First the link's own switch; then, since
  # somebody may turn on net.ipv4.ip_forward later and with it every link's switch, a filter that lets in ARP
  # and what is addressed to the controller (classic BPF: offsets from the Ethernet header; 0 = pass, 2 = drop).
  # Kernels without cls_bpf have the switch alone.
  echo 0 >"/proc/sys/net/ipv4/conf/$link/forwarding"
  if tc qdisc add dev "$link" clsact 2>/dev/null; then
    tc filter add dev "$link" ingress pref 1 protocol all bpf direct-action bytecode \
      "7,40 0 0 12,21 3 0 2054,21 0 3 2048,32 0 0 30,21 0 1 $number,6 0 0 0,6 0 0 2" 2>/dev/null || :
  fi
  nsenter --net="$dir/underlay" ip link set dev controller master underlay up
  ip link set dev "$link" up
  : >ready
fi
# Last: a folder of a user who is not root is readable by that user alone.
chown "$uid" "$dir"
