// SPDX-License-Identifier: Apache-2.0
/*
 * flannel's `udp` backend as a kernel datapath: no process moves packets. One object, the same for every host.
 *
 *   overlab_encap   on the route to the pod network (`ip route ... encap bpf xmit`): puts the packet into UDP
 *   overlab_decap   on the NIC's ingress (`tc filter ... bpf direct-action`): takes it out again
 *
 * The wire is flannel's own: outer IPv4 with DF, UDP, port to the same port, and the payload is the bare inner
 * IPv4 packet, so that a host that runs flanneld can be the peer. There is no authentication on this wire.
 * What a packet says about itself is therefore checked as far as the peers' map can tell: see overlab_decap.
 *
 * TTL: flanneld lowers the inner TTL at both ends and throws a packet away without a word when it reaches 0.
 * Here it is lowered at both ends too, but never below 1: the host that forwards the packet next then answers
 * Time Exceeded. A path has as many hops as with flanneld, and traceroute sees the two that flanneld hides.
 *
 * Not done: the outer TOS and IP id are 0 and the UDP checksum is 0 (flanneld: the socket's); an unknown
 * destination is dropped (flanneld: ICMP network unreachable). The inner checksum of a packet whose sender
 * left it to the NIC is left to the NIC here as well: no BPF helper can finish it. Over veth no NIC finishes it,
 * which another kernel datapath accepts and a flanneld does not: towards one, `ethtool -K NIC tx off`.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* What differs from host to host; modules/bpf/maps.ts writes and reads it. All in network order. */
struct config {
	__be32 local;  /* our own underlay address */
	__be32 subnet; /* our own pods, first address */
	__be32 mask;   /* and the mask of that subnet */
	__be16 port;   /* 0 = not configured yet */
	__be16 unused;
};

/* An inner subnet; `length` in host order as the LPM trie wants it. */
struct prefix {
	__u32 length;
	__be32 address;
};

/* Counters, in the order of `counters` in modules/bpf/maps.ts. */
enum counter {
	ENCAPSULATED,
	DECAPSULATED,
	NO_PEER,           /* no host for this destination */
	NOT_CONFIGURED,
	ENCAP_FAILED,      /* no memory, or too big */
	PAYLOAD_INVALID,   /* on our port, but no IPv4 packet inside */
	SOURCE_INVALID,    /* the inner source does not live behind the outer source */
	DESTINATION_OTHER, /* the inner destination is none of our pods */
	DECAP_FAILED,
	COUNTERS,
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct config);
} overlab_config SEC(".maps");

/* Inner subnet -> the underlay address (network order) of the host whose pods they are. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __be32);
} overlab_peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} overlab_stats SEC(".maps");

struct outer {
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

/* TTL, protocol and checksum of an IPv4 header, bytes 8 to 11. */
struct ttl_word {
	__u8 ttl;
	__u8 protocol;
	__sum16 check;
};
#define TTL_OFFSET 8

static __always_inline int count(__u32 counter, int verdict)
{
	__u64 *value = bpf_map_lookup_elem(&overlab_stats, &counter);

	if (value)
		*value += 1;
	return verdict;
}

static __always_inline const struct config *configuration(void)
{
	__u32 first = 0;
	const struct config *config = bpf_map_lookup_elem(&overlab_config, &first);

	return config && config->port ? config : 0;
}

static __always_inline __be32 host_of(__be32 address)
{
	struct prefix key = { .length = 32, .address = address };
	const __be32 *host = bpf_map_lookup_elem(&overlab_peers, &key);

	return host ? *host : 0;
}

/* The header's word with a TTL one lower, but at least 1. The checksum is updated as in RFC 1141. */
static __always_inline struct ttl_word lowered(const struct iphdr *ip)
{
	struct ttl_word word = { .ttl = ip->ttl, .protocol = ip->protocol, .check = ip->check };
	__u32 sum;

	if (word.ttl > 1) {
		sum = word.check;
		sum += bpf_htons(0x0100);
		word.check = (__sum16)(sum + (sum >= 0xffff));
		word.ttl -= 1;
	}
	return word;
}

SEC("lwt_xmit")
int overlab_encap(struct __sk_buff *skb)
{
	const struct config *config = configuration();
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	const struct iphdr *inner = data;
	struct outer outer = {};
	struct ttl_word word;
	__be32 host;

	if (!config)
		return count(NOT_CONFIGURED, BPF_DROP);
	if (data + sizeof(*inner) > end)
		return count(ENCAP_FAILED, BPF_DROP);
	host = host_of(inner->daddr);
	if (!host)
		return count(NO_PEER, BPF_DROP);

	outer.ip.version = 4;
	outer.ip.ihl = 5;
	outer.ip.ttl = 64;
	outer.ip.protocol = 17;
	outer.ip.frag_off = bpf_htons(0x4000); /* DF, as flanneld's socket sets it */
	outer.ip.tot_len = bpf_htons((__u16)(skb->len + sizeof(outer)));
	outer.ip.saddr = config->local;
	outer.ip.daddr = host;
	outer.udp.source = config->port;
	outer.udp.dest = config->port;
	outer.udp.len = bpf_htons((__u16)(skb->len + sizeof(outer.udp)));

	word = lowered(inner);
	if (bpf_skb_store_bytes(skb, TTL_OFFSET, &word, sizeof(word), 0) ||
	    bpf_lwt_push_encap(skb, BPF_LWT_ENCAP_IP, &outer, sizeof(outer)))
		return count(ENCAP_FAILED, BPF_DROP);
	return count(ENCAPSULATED, BPF_LWT_REROUTE);
}

#define HEADERS (ETH_HLEN + sizeof(struct outer) + sizeof(struct iphdr))

SEC("tc")
int overlab_decap(struct __sk_buff *skb)
{
	const struct config *config = configuration();
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	const struct outer *outer;
	const struct iphdr *inner;
	struct ttl_word word;

	if (!config || skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_OK;
	if (data + HEADERS > end) {
		/* Too short to be ours, or not in the first buffer yet. */
		if (bpf_skb_pull_data(skb, HEADERS))
			return TC_ACT_OK;
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
		if (data + HEADERS > end)
			return TC_ACT_OK;
	}
	outer = data + ETH_HLEN;
	inner = data + ETH_HLEN + sizeof(*outer);

	/* No options, no fragments: flanneld sends neither. Anything else is somebody else's packet. */
	if (outer->ip.version != 4 || outer->ip.ihl != 5 || outer->ip.protocol != 17 ||
	    (outer->ip.frag_off & bpf_htons(0x3fff)) || outer->ip.daddr != config->local ||
	    outer->udp.dest != config->port)
		return TC_ACT_OK;

	if (inner->version != 4 || inner->ihl < 5)
		return count(PAYLOAD_INVALID, TC_ACT_SHOT);
	/* A host may send for its own pods and for itself (a masqueraded packet), and for nobody else. */
	if (inner->saddr != outer->ip.saddr && host_of(inner->saddr) != outer->ip.saddr)
		return count(SOURCE_INVALID, TC_ACT_SHOT);
	/* Never relayed: not to another host's pods, not out to the world. This covers multicast and broadcast. */
	if ((inner->daddr & config->mask) != config->subnet)
		return count(DESTINATION_OTHER, TC_ACT_SHOT);

	word = lowered(inner);
	/*
	 * FIXED_GSO: a segment of the inner TCP stays as long as it was. Without it the kernel lengthens each by the
	 * 28 bytes that went away, and the pods' MTU then refuses them.
	 */
	if (bpf_skb_adjust_room(skb, -(int)sizeof(*outer), BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN + TTL_OFFSET, &word, sizeof(word), 0))
		return count(DECAP_FAILED, TC_ACT_SHOT);
	return count(DECAPSULATED, TC_ACT_OK);
}

/* The kernel lends its helpers to programs under a licence compatible with its own. */
char program_license[] SEC("license") = "Dual BSD/GPL";
