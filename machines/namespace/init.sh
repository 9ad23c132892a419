# Pid 1 of an overlab machine. It mounts what a machine has, runs /etc/overlab/boot if there is one, starts sshd,
# and reaps what is left to it. It restarts nothing.
set -eu
umask 022
. /run/overlab/machine
mount -a -T /run/overlab/fstab

old=
{ read -r old </etc/hostname; } 2>/dev/null || :
if [ "$old" != "$name" ]; then
  printf '%s\n' "$name" >/etc/hostname
  printf '%s\t%s\n' "$address" "$name" >>/etc/hosts
fi
# Neighbours may still hold another MAC for this address: tell them, as hosts do. Setting the MAC that the NIC already
# has makes the kernel send a gratuitous ARP, if it may.
echo 1 >/proc/sys/net/ipv4/conf/eth0/arp_notify
ip link set dev eth0 address "$mac"
echo 0 >/proc/sys/net/ipv4/conf/eth0/arp_notify
if [ -x /etc/overlab/boot ]; then /etc/overlab/boot || echo "/etc/overlab/boot: exit status $?"; fi

"$(command -v sshd)" -D -e -f /run/overlab/sshd_config &
while :; do
  wait
  sleep 2147483647 &
done
