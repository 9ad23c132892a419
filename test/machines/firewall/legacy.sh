# A firewall in the variant of iptables that is not the default one: overlab's jump is not there.
iptables-legacy -P FORWARD DROP
