# build.sh ARGUMENT...: image.sh in a mount namespace of its own: what it mounts goes with it, however it ends.
set -eu
exec unshare --mount --propagation private sh "${0%/*}/image.sh" "$@"
