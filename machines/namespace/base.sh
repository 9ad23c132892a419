# base.sh FOLDER: makes FOLDER/root, the layer that all machines of a lab have in common: a plain system's files, and places for
# this computer's programs. A machine sees of this computer what is listed here, and nothing else: not what lies
# beside it today, and not what somebody puts there tomorrow.
set -eu
here=${0%/*}
. "$here/../lab/lib.sh"
cd "$1"
mkdir root
cd root

# Folders of this computer that every machine sees, as they are at any moment (`setup.sh` mounts them). A machine has no
# rights on the files in them but those of any user: what is not readable for all stays unreadable.
for tree in bin sbin lib lib32 lib64 libx32 nix/store gnu/store \
  usr/bin usr/sbin usr/lib usr/lib32 usr/lib64 usr/libx32 usr/libexec usr/share \
  usr/local/bin usr/local/sbin usr/local/lib usr/local/libexec usr/local/share; do
  if [ -L "/$tree" ]; then
    mkdir -p "./$(dirname "$tree")"
    cp -a "/$tree" "$tree"
  elif [ -d "/$tree" ]; then
    mkdir -p "$tree"
    echo "$tree" >>../trees
  fi
done

mkdir -p dev/pts dev/shm dev/net proc sys run tmp root home mnt media srv opt etc/ssh etc/profile.d etc/overlab \
  var/cache var/log var/spool var/tmp var/empty var/lib
chmod 700 root
chmod 1777 tmp var/tmp
ln -s /run var/run
ln -s /run/lock var/lock

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

# Of /etc, copies of what programs need and what says nothing of this computer's owner.
for entry in alternatives bindresvport.blacklist crypto-policies debian_version ethertypes gai.conf host.conf inputrc \
  iproute2 ld.so.cache ld.so.conf ld.so.conf.d locale.alias localtime login.defs magic mime.types netconfig networks \
  os-release perl protocols rpc services shells ssl/certs ssl/openssl.cnf terminfo timezone xattr.conf; do
  if [ -e "/etc/$entry" ] || [ -L "/etc/$entry" ]; then
    mkdir -p "etc/$(dirname "$entry")"
    cp -a "/etc/$entry" "etc/$entry"
  fi
done
find etc ! -type l ! -perm -o=r -prune -exec rm -rf {} +

shell=/bin/sh
if [ -x /bin/bash ]; then shell=/bin/bash; fi
put() {
  cat >"etc/$1"
}
# The host's people stay out (their names may come from a directory service too): system users only.
awk -F: -v shell="$shell" '
  $1 == "root" { print "root:x:0:0:root:/root:" shell; next }
  $1 == "sshd" { sshd = 1 }
  $3 < 1000 || $3 == 65534
  END { if (!sshd) print "sshd:x:122:65534::/run/sshd:/usr/sbin/nologin" }' /etc/passwd | put passwd
awk -F: '{ print $1 ":*:19000::::::" }' etc/passwd | put shadow
awk -F: '$3 < 1000 || $3 == 65534 { print $1 ":x:" $3 ":" }' /etc/group | put group
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
chmod 600 etc/shadow
ln -s /proc/self/mounts etc/mtab
chown -hR "$machine_root:$machine_root" .

# From 9.8 on, sshd shuts out an address that failed too often, and the controller has only one. Before, it ends at
# the unknown word.
ssh -V 2>&1 | awk -F'[^0-9]+' '{ if ($2 * 100 + $3 >= 908) print "PerSourcePenalties no" }' >../sshd_config
touch ../trees
