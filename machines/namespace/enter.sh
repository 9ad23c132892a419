# enter.sh MACHINE: pid 1 of the machine, with the host's files still in sight. It writes down who it is, lets go
# of the locks (until then nobody can delete the lab under it), and leaves the host's files for good.
set -eu
read -r stat </proc/self/stat
pid=${stat%% *}
started() {
  started=${20}
}
started ${stat##*) }
printf '%s %s\n' "$pid" "$started" >"$1/pid"
cd "$1/root"
exec 8<&- 9<&-
pivot_root . run/overlab/host
cd /
mount -t proc proc /proc
umount -l /run/overlab/host
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh /run/overlab/init.sh
