# build.sh ARGUMENT...: image.sh in a mount namespace of its own: what it mounts goes with it, however it ends.
set -eu
# Its lock is the folder itself, which nobody else is to hold.
chmod 700 "$1"
exec unshare --mount --propagation private sh "${0%/*}/image.sh" "$@"
