# Pid 1 of an overlab machine. It mounts what a machine has, runs /etc/overlab/boot if there is one, starts sshd,
# and reaps what is left to it. It restarts nothing.
set -eu
umask 022
. /run/overlab/machine
# /proc/sys is the host's but for its net/ (that follows the network namespace): read-only, so that a machine can't
# tune the host by mistake. sysrq-trigger would reboot it.
cat >/run/overlab/fstab <<END
/proc/sys/net /proc/sys/net none bind 0 0
/proc/sys /proc/sys none rbind,ro 0 0
sysfs /sys sysfs defaults 0 0
bpf /sys/fs/bpf bpf mode=700 0 0
devpts /dev/pts devpts newinstance,gid=5,mode=620,ptmxmode=666 0 0
shm /dev/shm tmpfs mode=1777,size=64m 0 0
tmp /tmp tmpfs mode=1777,size=256m 0 0
END
if [ -e /proc/sysrq-trigger ]; then echo '/dev/null /proc/sysrq-trigger none bind 0 0' >>/run/overlab/fstab; fi
mount -a -T /run/overlab/fstab

old=
{ read -r old </etc/hostname; } 2>/dev/null || :
if [ "$old" != "$name" ]; then
  printf '%s\n' "$name" >/etc/hostname
  printf '%s\t%s\n' "$address" "$name" >>/etc/hosts
fi
if [ -x /etc/overlab/boot ]; then /etc/overlab/boot || echo "/etc/overlab/boot: exit status $?"; fi

"$(command -v sshd)" -D -e -f /run/overlab/sshd_config &
while :; do
  wait
  sleep 2147483647 &
done
