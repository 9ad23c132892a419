# What a rule lets pass by a set, a rate or a mark is for nobody to say beforehand: no warning.
nft -f - <<'N'
table inet mine {
  set good { type ipv4_addr; elements = { 192.168.1.12 } }
  chain input {
    type filter hook input priority 0; policy drop;
    ip saddr @good accept
  }
}
table inet debian {
  chain input { type filter hook input priority filter; policy accept; }
  chain forward { type filter hook forward priority filter; policy accept; }
}
N
iptables -A INPUT -s 192.168.1.12/32 -j ACCEPT
iptables -A INPUT -m mark --mark 7 -j ACCEPT
iptables -A INPUT -j DROP
iptables -A FORWARD -m mark --mark 9 -j DROP
