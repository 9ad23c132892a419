# seed.sh MAC, in the machine's folder: what cloud-init finds on a drive named cidata (its NoCloud source).
set -eu
mac=$1
. ./overlab/machine
mkdir seed
printf 'instance-id: %s\nlocal-hostname: %s\n' "$name" "$name" >seed/meta-data
{
  printf '#cloud-config\ndisable_root: false\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n'
  sed 's/^/    /' overlab/hostkey
  printf '  ed25519_public: %s\nusers:\n  - name: root\n    ssh_authorized_keys:\n      - %s\n' \
    "$(cat overlab/hostkey.pub)" "$(cat overlab/id_ed25519.pub)"
} >seed/user-data
cat >seed/network-config <<END
version: 2
ethernets:
  eth0:
    match: { macaddress: "$mac" }
    set-name: eth0
    mtu: $mtu
    addresses: ["$address/$prefix"]
    routes: [{ to: 0.0.0.0/0, via: $controller }]
END
