# enter.sh: pid 1 of the machine, in its namespaces but for the mount namespace, which setup.sh still fills. It waits
# until that is done (or has failed), takes a copy of it, whose mounts it can not take apart, and becomes the init.
exec <go 6<&-
read -r word || exit 1
cd /
exec unshare --mount --propagation private \
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh /run/overlab/init.sh </dev/null
