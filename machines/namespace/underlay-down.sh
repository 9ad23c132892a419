# underlay-down.sh LAB LINK: ends every machine of the lab and leaves nothing of it, however little of it is there.
. "${0%/*}/lib.sh"
lab=$1 link=$2
dir=$labs/$lab
[ -e "$labs" ] || has_link "$link" || exit 0

lock -x
set --
for machine in "$dir"/machines/*; do
  if [ -d "$machine" ]; then set -- "$@" "$machine"; fi
done
power_cut "$@"
if has_link "$link"; then
  # Without an alias: an interrupted underlay-up.sh. With another's: not ours.
  case $(ip link show dev "$link") in
  *"alias overlab $lab") ip link del dev "$link" ;;
  *"alias "*) ;;
  *) ip link del dev "$link" ;;
  esac
fi
while mounted "$dir/underlay"; do umount -l "$dir/underlay"; done
while mounted "$dir"; do umount -l "$dir"; done
rm -rf --one-file-system "$dir"
rmdir "$labs" 2>/dev/null || :
