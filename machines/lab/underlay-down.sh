# underlay-down.sh LAB LINK: ends every machine of the lab and leaves nothing of it, however little of it is there.
. "${0%/*}/lib.sh"
lab=$1 link=$2
dir=$labs/$lab
[ -e "$labs" ] || [ -e "$disks/$lab" ] || has_link "$link" || exit 0

lock -x
set --
for machine in "$dir"/machines/*; do
  if [ -d "$machine" ]; then set -- "$@" "$machine"; fi
done
power_cut "$@"
remove_underlay
