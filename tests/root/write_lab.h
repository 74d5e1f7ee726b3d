/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write_lab: what the tests of writing share: the table as targets, packets of every protocol, a
 * socket that loses answers. */
#ifndef CTWARDEN_TESTS_WRITE_LAB_H
#define CTWARDEN_TESTS_WRITE_LAB_H

/* The tools' socket functions have these names too; those of the layer are not called here. */
#define nl_open kernel_nl_open
#define nl_send kernel_nl_send
#include "../../src/kernel/writer.h"
#undef nl_open
#undef nl_send

/* ---- the table ---- */

struct write_lab_table {
	struct flow_target *targets;
	size_t count, reserved;
};

static inline bool write_lab_add(const struct flow *flow, const void *raw, size_t raw_len,
				 void *arg)
{
	struct write_lab_table *table = arg;

	(void)raw;
	(void)raw_len;
	if (table->count == table->reserved) {
		table->reserved = table->reserved ? 2 * table->reserved : 1024;
		table->targets =
			mem_resize(table->targets, table->reserved, sizeof(*table->targets));
	}
	flow_target_from(flow, &table->targets[table->count++]);
	return true;
}

static inline int write_lab_by_name(const void *a, const void *b)
{
	const struct flow_target *x = a, *y = b;
	int r = memcmp(&x->orig, &y->orig, sizeof(x->orig));

	if (r)
		return r;
	if (x->zone != y->zone)
		return x->zone < y->zone ? -1 : 1;
	return (x->zone_reply > y->zone_reply) - (x->zone_reply < y->zone_reply);
}

/* Every entry, sorted; the caller's. */
static inline struct flow_target *targets_now(const struct flow_ports *ports, size_t *ret_count)
{
	struct write_lab_table table = {0};
	struct flow_scan_report report;

	assert_int_equal(ports->scan(ports->arg, NULL, NULL, write_lab_add, &table, &report), 0);
	if (table.count)
		qsort(table.targets, table.count, sizeof(*table.targets), write_lab_by_name);
	*ret_count = table.count;
	return table.targets;
}

/* 0, or -1 where it cannot be emptied. */
static inline int write_lab_empty(const struct flow_ports *ports)
{
	uint64_t entries;

	/* No clean slate, no test: dying entries count for a moment. */
	for (unsigned i = 0; i < 1000; i++) {
		if (ports->delete_all(ports->arg) || ports->count(ports->arg, &entries))
			return -1;
		if (!entries)
			return 0;
		usleep(10000);
	}
	return -1;
}

/* ---- a socket that loses answers ---- */

static inline void write_lab_rcvbuf(struct writer *writer, int bytes)
{
	assert_int_equal(setsockopt(mnl_socket_get_fd(writer->socket.mnl), SOL_SOCKET,
				    SO_RCVBUFFORCE, &bytes, sizeof(bytes)),
			 0);
}

static inline uint64_t write_lab_shrink(struct writer *writer)
{
	write_lab_rcvbuf(writer, 1); /* the kernel's minimum: some answers of a batch */
	return writer->lost;
}

static inline uint64_t write_lab_lost(const struct writer *writer)
{
	return writer->lost;
}

static inline void write_lab_restore(struct writer *writer)
{
	write_lab_rcvbuf(writer, 1 << 20);
}

/* ---- packets ---- */

/* 99 and 50 (ESP) have no tracker of their own. */
static const uint8_t write_lab_protocols[] = {
	IPPROTO_TCP, IPPROTO_UDP,  IPPROTO_UDPLITE, IPPROTO_ICMP, IPPROTO_ICMPV6,
	IPPROTO_GRE, IPPROTO_SCTP, IPPROTO_DCCP,    IPPROTO_ESP,  99};
#define WRITE_LAB_PROTOCOLS sizeof(write_lab_protocols)

/* Loopback up, tracking on, and zones of one direction by port. Everything is dropped after it was
 * tracked on its way out, so that nothing answers. 0 or the shell's code. */
static inline int write_lab_links(void)
{
	return system(
		"ip link set lo up && nft -f - <<EOF\n"
		"table inet lab {\n"
		"  chain raw { type filter hook output priority raw;\n"
		"    udp dport 1001 ct original zone set 11\n"
		"    udp dport 1002 ct reply zone set 12\n"
		"    udp dport 1003 ct zone set 13\n"
		"  }\n"
		"  chain in { type filter hook input priority filter; ct state new accept; }\n"
		"}\n"
		"EOF\n");
}

static inline void write_lab_send_raw(const char *address, uint8_t protocol, const void *data,
				      size_t len)
{
	bool is_v6 = strchr(address, ':');
	int raw = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_RAW, protocol);
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	assert_true(raw >= 0);
	if (is_v6)
		assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
	else
		assert_int_equal(inet_pton(AF_INET, address, &v4.sin_addr), 1);
	assert_int_equal(sendto(raw, data, len, 0, is_v6 ? (void *)&v6 : (void *)&v4,
				is_v6 ? sizeof(v6) : sizeof(v4)),
			 len);
	close(raw);
}

static inline void write_lab_send_udp(uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(0x7f000001)}};
	int udp = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(sendto(udp, "x", 1, 0, (void *)&to, sizeof(to)), 1);
	close(udp);
}

/* One packet of each protocol in both families, with what its tracker looks at. */
static inline void write_lab_send_packets(void)
{
	/* ports 4000 -> 4001, then what may follow: TCP SYN, UDP length, SCTP INIT, DCCP REQUEST */
	uint8_t tcp[20] = {0x0f, 0xa0, 0x0f,	    0xa1,	 0,	     0,
			   0,	 1,    [12] = 0x50, [13] = 0x02, [14] = 0x10};
	uint8_t udp[12] = {0x0f, 0xa0, 0x0f, 0xa1,
			   0,	 12,   0xab, 0xcd}; /* UDPLite must have a checksum */
	uint8_t sctp[32] = {0x0f,     0xa0,	0x0f,	  0xa1,	    [12] = 1, [15] = 20,
			    [16] = 0, [19] = 7, [23] = 1, [25] = 1, [27] = 1};
	uint8_t dccp[20] = {0x0f, 0xa0, 0x0f, 0xa1, 5, 0, [8] = 0x01, [11] = 1};
	uint8_t echo[8] = {8, 0, 0, 0, 0x12, 0x34, 0, 1},
		echo6[8] = {128, 0, 0, 0, 0x12, 0x35, 0, 1};
	/* GRE version 1 (PPTP) with key: flags 0x2001, type 0x880b, length, call id 0x0777 */
	uint8_t gre[12] = {0x20, 0x01, 0x88, 0x0b, 0, 4, 0x07, 0x77};
	uint8_t esp[16] = {0, 0, 1, 0, 0, 0, 0, 1};
	static const char *const to[] = {"127.0.0.1", "::1"};

	for (unsigned i = 0; i < 2; i++) {
		write_lab_send_raw(to[i], IPPROTO_TCP, tcp, sizeof(tcp));
		write_lab_send_raw(to[i], IPPROTO_UDP, udp, sizeof(udp));
		write_lab_send_raw(to[i], IPPROTO_UDPLITE, udp, sizeof(udp));
		write_lab_send_raw(to[i], IPPROTO_SCTP, sctp, sizeof(sctp));
		write_lab_send_raw(to[i], IPPROTO_DCCP, dccp, sizeof(dccp));
		write_lab_send_raw(to[i], IPPROTO_GRE, gre, sizeof(gre));
		write_lab_send_raw(to[i], IPPROTO_ESP, esp, sizeof(esp));
		write_lab_send_raw(to[i], 99, esp, sizeof(esp));
	}
	write_lab_send_raw("127.0.0.1", IPPROTO_ICMP, echo, sizeof(echo));
	write_lab_send_raw("::1", IPPROTO_ICMPV6, echo6, sizeof(echo6));
	for (uint16_t port = 1000; port < 1004; port++)
		write_lab_send_udp(port);
}

/* A namespace of one's own with links, the writer there, and a socket beside it. 0 or -1. */
static inline int write_lab_open(struct writer **ret_writer, struct flow_ports *ret_ports, int *ret_fd)
{
	if (!lab_enter() || write_lab_links() || writer_open(NULL, ret_writer))
		return -1;
	*ret_ports = writer_ports(*ret_writer);
	*ret_fd = nl_open();
	return 0;
}

#endif
