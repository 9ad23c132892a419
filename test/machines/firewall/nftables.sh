# Rules of somebody's own; the port is open, to the peers, and forwarding is not.
nft -f - <<'N'
table inet mine {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    udp dport { 8285, 8400-8500 } ip saddr 192.168.0.0/16 accept
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "wg0" accept
  }
}
N
