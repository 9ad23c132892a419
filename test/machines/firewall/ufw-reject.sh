# ufw with `ufw default reject routed`.
iptables -P FORWARD DROP
iptables -N ufw-user-input
iptables -N ufw-reject-forward
iptables -A FORWARD -j ufw-reject-forward
iptables -A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable
