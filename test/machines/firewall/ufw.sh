# ufw as it is when enabled: no port but SSH's is open, and what is forwarded is for the policy.
iptables -P INPUT DROP
iptables -P FORWARD DROP
for hook in input forward; do
  for chain in before-$hook user-$hook after-$hook reject-$hook; do iptables -N ufw-$chain; done
  up=$(echo $hook | tr a-z A-Z)
  for chain in before-$hook after-$hook reject-$hook; do iptables -A $up -j ufw-$chain; done
  iptables -A ufw-before-$hook -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  iptables -A ufw-before-$hook -p icmp -m icmp --icmp-type 8 -j ACCEPT
  iptables -A ufw-before-$hook -j ufw-user-$hook
done
iptables -N ufw-not-local
iptables -A ufw-before-input -i lo -j ACCEPT
iptables -A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
iptables -A ufw-before-input -j ufw-not-local
iptables -A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
iptables -A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
iptables -A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
