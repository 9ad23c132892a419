/** The tags by which overlab finds what it put on a host, and leaves alone what others put there. */

/**
 * Route protocol number of overlab's routes and neighbours (`ip route ... proto 79`, `ip neigh ... protocol 79`).
 * Free in Linux' uapi/linux/rtnetlink.h (RTPROT_*) and in iproute2's rt_protos; 'O' in ASCII.
 */
export const protocol = 79

/**
 * At the end of a line: the row is there without overlab's mark, or shall be. Read only where marks matter
 * (`HostFacts.claim`), and wanted only of rows that another program is about to take over.
 */
export const unclaimed = 'unclaimed'

/** Alias of every link that overlab made (`ip link ... alias overlab`). */
export const alias = 'overlab'

/** Preference of overlab's tc filters, so that another program's filter on the same hook is told apart. */
export const filterPreference = 7979

/** Where overlab's BPF programs and maps are pinned on a host, a bpffs of its own; not below /run/overlab, where a namespace lab keeps its machines. */
export const bpfFolder = '/run/overlab-bpf'

/** Handle of the qdisc that overlab puts at a NIC's root (`tc qdisc ... handle 7979:`): what is below it is overlab's, a root with another handle is somebody else's. */
export const qdiscHandle = '7979:'

/**
 * Where overlab keeps, on a host that it did not make, whose the overlay is, what settings were before, and the way
 * back from a change that is not confirmed. Memory, as the kernel's state is.
 */
export const hostFolder = '/run/overlab-host'
