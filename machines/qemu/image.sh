# image.sh CACHE KEY SUITE PACKAGES SIZE UID SOURCE...: builds the image of VMs at CACHE/KEY, unless it is there: `kernel`,
# `initrd`, `busybox`, `root.img` (a file system of SIZE GiB) and `about`. What is at CACHE/KEY is always whole: it is
# built beside it, and renamed. Prints a line for each step.
set -eu
umask 022
export LC_ALL=C
here=${0%/*}
cache=$1 key=$2 suite=$3 packages=$4 size=$5 uid=$6
shift 6

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The folder itself is the lock, so that a build that was killed leaves none.
exec 9<"$cache"
if ! flock -n 9; then
  echo 'waiting for another build'
  flock -w 1800 9 || die "another build has held $cache for half an hour; see: fuser -v $cache"
fi
if [ -e "$cache/$key" ]; then exit; fi
rm -rf --one-file-system "$cache"/*.new
mkdir "$cache/$key.new"
cd "$cache/$key.new"
root=$PWD/root

# Twice the files (a tree, then the file system made of it), and the packages.
free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
[ "$free" -ge 1000 ] || die "$cache has $free MiB free; building the image of VMs takes 1000"

echo "installing Debian $suite"
export here
{
  mmdebstrap --mode=root --variant=minbase --components=main --include="$packages" \
    --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='sh "$here/packages.sh" "$1"' \
    "$suite" "$root" "$@" </dev/null 2>&1 || : >failed
} | tee log | sed -un "/customize-hook/d; /success/d; s/^I: //p"
if [ -e failed ]; then
  tail -n 15 log >&2
  exit 1
fi

echo 'making the kernel, the initramfs and the file system'
for package in "$root"/packages/*.deb; do dpkg-deb -x "$package" packages; done
rm -rf "$root/packages"
set -- packages/lib/modules/*
version=${1##*/}
mkdir -p "$root/usr/lib/modules"
mv "$1" "$root/usr/lib/modules/"
mv "packages/boot/vmlinuz-$version" kernel
for busybox in packages/bin/busybox packages/usr/bin/busybox; do
  if [ -e "$busybox" ]; then mv "$busybox" busybox; fi
done
chroot "$root" depmod "$version"
sh "$here/guest/customize.sh" "$root" "$here/guest"

mkdir -p initramfs/bin initramfs/dev initramfs/proc initramfs/root initramfs/lib/modules
cp busybox initramfs/bin/
cp "$here/guest/init" initramfs/init
chmod 755 initramfs/init
# The kernel opens it before devtmpfs is there.
mknod initramfs/dev/console c 5 1
number=10
for module in virtio_pci virtio_blk virtio_net; do chroot "$root" modprobe -S "$version" --show-depends "$module"; done |
  awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >modules
# In the order in which they depend on each other.
while read -r file; do
  cp "$root$file" "initramfs/lib/modules/$number-${file##*/}"
  number=$((number + 1))
done <modules
# Not compressed: an emulated CPU takes longer to unpack it than qemu to load it.
(cd initramfs && find . | ../busybox cpio -o -H newc 2>/dev/null) >initrd

mke2fs -q -t ext4 -d "$root" -L root -J size=8 root.img "${size}G" >/dev/null
printf 'Debian %s, kernel %s, %s MiB\n' "$suite" "$version" "$(du -sm root.img | cut -f1)" >about
rm -rf --one-file-system root initramfs packages modules log
chown -R "$uid" .
sync .
mv "$PWD" "$cache/$key"
