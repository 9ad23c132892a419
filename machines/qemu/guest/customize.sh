# customize.sh ROOT FOLDER: makes a minimal Debian at ROOT a machine of overlab. FOLDER has the files.
set -eu
root=$1 files=$2
cd "$root"
# Every machine must have its own.
rm -f etc/ssh/ssh_host_*
: >etc/machine-id
: >etc/fstab
rm -f etc/hostname etc/resolv.conf
# A link to an empty list, for which a service would start.
rm -f etc/modules-load.d/modules.conf
cp "$files/sshd.conf" etc/ssh/sshd_config.d/overlab.conf

# What a machine does at its start, less what takes time without a use here: most of a boot, where no KVM helps.
mask() {
  for unit; do ln -sf /dev/null "etc/systemd/system/$unit"; done
}
mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
  systemd-tmpfiles-clean.timer systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service \
  kmod-static-nodes.service systemd-sysusers.service systemd-random-seed.service systemd-pstore.service \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-user-sessions.service systemd-logind.service \
  systemd-journal-flush.service systemd-journal-catalog-update.service systemd-hwdb-update.service \
  systemd-machine-id-commit.service systemd-boot-system-token.service systemd-remount-fs.service systemd-binfmt.service \
  systemd-ask-password-wall.path systemd-ask-password-console.path e2scrub_reap.service getty.target \
  modprobe@configfs.service modprobe@drm.service modprobe@fuse.service modprobe@efi_pstore.service \
  modprobe@dm_mod.service modprobe@loop.service proc-sys-fs-binfmt_misc.automount dev-hugepages.mount dev-mqueue.mount \
  sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount
mkdir -p etc/systemd/system-generators
for generator in lib/systemd/system-generators/*; do
  case ${generator##*/} in
  systemd-fstab-generator | systemd-sysv-generator) ;;
  *) ln -s /dev/null "etc/systemd/system-generators/${generator##*/}" ;;
  esac
done
# udev looks at every link that comes and goes, those of pods too, which takes an emulated CPU longer than making them.
# Nothing here needs it but a manager of networks, and then it starts; of all devices it knows the NICs only.
for unit in sysinit.target.wants/systemd-udevd.service sysinit.target.wants/systemd-udev-trigger.service \
  sockets.target.wants/systemd-udevd-control.socket sockets.target.wants/systemd-udevd-kernel.socket; do
  mkdir -p "etc/systemd/system/${unit%/*}"
  ln -s /dev/null "etc/systemd/system/$unit"
done
for service in systemd-networkd NetworkManager; do
  mkdir "etc/systemd/system/$service.service.d"
  printf '[Unit]\nWants=systemd-udevd.service systemd-udev-trigger.service\nAfter=systemd-udevd.service systemd-udev-trigger.service\n' \
    >"etc/systemd/system/$service.service.d/overlab.conf"
done
mkdir -p etc/systemd/system/systemd-udev-trigger.service.d etc/systemd/system/ssh.service.d
cat >etc/systemd/system/systemd-udev-trigger.service.d/overlab.conf <<END
[Service]
ExecStart=
ExecStart=udevadm trigger --type=devices --action=add --subsystem-match=net
END
cat >etc/systemd/system/ssh.service.d/overlab.conf <<END
[Service]
ExecStartPre=
END
