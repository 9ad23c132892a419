/** Lines that make eth0 (192.168.77.1/24) and the other end of its veth pair, far0; both are up when they end, which a busy kernel says late. */
export const makeNic = `ip link add eth0 type veth peer name far0
ip addr add 192.168.77.1/24 dev eth0
ip link set eth0 up
ip link set far0 up
for time in $(seq 250); do [ "$(ip -o link | grep -c 'state UP')" = 2 ] && break; sleep 0.02; done
`
