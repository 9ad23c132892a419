# base.sh FOLDER, in a mount namespace of its own: makes the layer that lies between the host's files and those of
# the lab's machines. It hides what is the host's own business and puts a plain system's files in its place. What a
# machine sees of the host is a short list: programs, libraries, /etc without secrets, dpkg's database.
set -eu
umask 022
cd "$1"
mkdir upper work root

# An entry of the layer that is a character device 0:0 hides what lies below (overlayfs calls it a whiteout).
hide() {
  for entry; do
    if [ -e "/$entry" ] || [ -L "/$entry" ]; then
      # Fails where a folder above is hidden already.
      case $entry in */*) mkdir -p "upper/${entry%/*}" 2>/dev/null || continue ;; esac
      [ -e "upper/$entry" ] || mknod -m 000 "upper/$entry" c 0 0
    fi
  done
}
for path in /* /.[!.]*; do
  case ${path#/} in
  bin | sbin | lib | lib32 | lib64 | libx32 | usr | etc | nix | gnu | var) ;;
  *) hide "${path#/}" ;;
  esac
done
for path in /var/* /var/lib/*; do
  case $path in
  /var/lib | /var/lib/dpkg) ;;
  *) hide "${path#/}" ;;
  esac
done
for entry in ssh profile.d apt rc.local machine-id environment.d gitconfig npmrc docker kubernetes cni rancher wireguard \
  openvpn NetworkManager netplan letsencrypt fstab crypttab mtab motd resolv.conf hostname; do
  hide "etc/$entry"
done
# What a plain user of the host can't read is a secret.
find /etc -xdev ! -type l ! -perm -o=r -prune -print | while read -r path; do hide "${path#/}"; done

# Made through the overlay, a folder where a whiteout was is empty for good (overlayfs marks it opaque).
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cd root
mkdir -p dev proc sys run tmp root home mnt media srv opt etc/ssh etc/profile.d etc/overlab \
  var/cache var/log var/spool var/tmp var/empty var/lib
chmod 700 root
chmod 1777 tmp var/tmp
ln -s /run var/run
ln -s /run/lock var/lock

mkdir dev/pts dev/shm dev/net
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mknod -m 666 dev/net/tun c 10 200
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

shell=/bin/sh
if [ -x /bin/bash ]; then shell=/bin/bash; fi
put() {
  rm -rf "etc/$1"
  cat >"etc/$1"
}
# The host's people stay out (their names may come from a directory service too): system users only.
awk -F: -v shell="$shell" '
  $1 == "root" { print "root:x:0:0:root:/root:" shell; next }
  $1 == "sshd" { sshd = 1 }
  $3 < 1000 || $3 == 65534
  END { if (!sshd) print "sshd:x:122:65534::/run/sshd:/usr/sbin/nologin" }' /etc/passwd | put passwd
awk -F: '{ print $1 ":*:19000::::::" }' etc/passwd | put shadow
put hosts <<END
127.0.0.1	localhost
::1	localhost ip6-localhost
END
put nsswitch.conf <<END
passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
END
put profile <<END
PS1='\\u@\\h:\\w# '
END
for file in environment bash.bashrc resolv.conf machine-id; do : | put "$file"; done
cd ..
umount root
rmdir root

# From 9.8 on, sshd shuts out an address that failed too often, and the controller has only one. Before, it ends at
# the unknown word.
ssh -V 2>&1 | awk -F'[^0-9]+' '{ if ($2 * 100 + $3 >= 908) print "PerSourcePenalties no" }' >sshd_config
