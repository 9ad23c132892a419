# packages.sh ROOT, while mmdebstrap still has the archive's lists: downloads to ROOT/packages what is unpacked and not
# installed. The kernel, since its installation makes an initramfs that nobody needs; and busybox, for the one that is
# needed.
set -eu
kernel=$(chroot "$1" apt-cache depends --important linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
mkdir "$1/packages"
chroot "$1" sh -c 'cd /packages && apt-get -q download busybox-static "$1"' sh "$kernel"
