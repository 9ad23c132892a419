# share.sh LAB FILE SOURCE: puts a file in sight of the lab's machines, whole or not at all; without SOURCE, takes it away.
. "${0%/*}/lib.sh"
lab=$1 file=$2 source=$3
dir=$labs/$lab

lock -s
if [ -z "$source" ]; then
  rm -f "$dir/shared/$file"
  exit
fi
[ -e "$dir/ready" ] || die "lab $lab has no underlay"
mkdir -p "$dir/shared"
# A copy of its own, in the lab's memory: the machines keep it when the source goes.
install -m 755 "$source" "$dir/shared/.$file.$$"
mv "$dir/shared/.$file.$$" "$dir/shared/$file"
