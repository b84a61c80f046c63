// SPDX-License-Identifier: GPL-2.0
/*
 * pcap.c - a capture in the file format of libpcap, packets with IPv4 headers
 */
#include "pcap.h"

#define MAGIC 0xa1b2c3d4
#define SNAPLEN 65535
#define LINKTYPE_IPV4 228
#define TTL 64

struct pcap {
	FILE *file;
};

/* In the byte order of the machine, as the magic number shows. */
struct file_header {
	u32 magic;
	u16 major, minor;
	u32 zone, sigfigs, snaplen, linktype;
};

struct packet_header {
	u32 seconds, micros;
	u32 kept, length;
};

struct pcap *pcap_open(const char *path)
{
	const struct file_header h = {
		.magic = MAGIC,
		.major = 2,
		.minor = 4,
		.snaplen = SNAPLEN,
		.linktype = LINKTYPE_IPV4,
	};
	FILE *f = fopen(path, "wb");
	struct pcap *c;

	if (!f)
		return NULL;
	c = sim_alloc(sizeof(*c));
	c->file = f;
	fwrite(&h, sizeof(h), 1, f);
	return c;
}

bool pcap_close(struct pcap *c)
{
	bool ok;

	if (!c)
		return true;
	ok = !fflush(c->file) && !ferror(c->file);
	ok &= !fclose(c->file);
	free(c);
	return ok;
}

/* RFC 791 section 3.1, without options */
static void ip_header(u8 h[IP_HEADER], const struct packet *p)
{
	u16 len = IP_HEADER + p->len;
	const u8 fields[IP_HEADER] = {
		0x45,
		0,
		len >> 8,
		len,
		0,
		0,
		0x40,
		0, /* not to be fragmented */
		TTL,
		IPPROTO_CHALK,
		0,
		0,
		p->src >> 24,
		p->src >> 16,
		p->src >> 8,
		p->src,
		p->dst >> 24,
		p->dst >> 16,
		p->dst >> 8,
		p->dst,
	};
	u32 sum = 0;

	for (int i = 0; i < IP_HEADER; i += 2)
		sum += fields[i] << 8 | fields[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	memcpy(h, fields, IP_HEADER);
	h[10] = sum >> 8;
	h[11] = sum;
}

void pcap_packet(struct pcap *c, const struct world *w, const struct packet *p)
{
	struct packet_header h;
	u8 ip[IP_HEADER];

	if (!c || p->icmp_mtu)
		return;
	h = (struct packet_header){
		.seconds = w->now / USEC_PER_S,
		.micros = w->now % USEC_PER_S,
		.kept = IP_HEADER + packet_stored(w, p),
		.length = IP_HEADER + p->len,
	};
	ip_header(ip, p);
	fwrite(&h, sizeof(h), 1, c->file);
	fwrite(ip, sizeof(ip), 1, c->file);
	fwrite(p->data, packet_stored(w, p), 1, c->file);
}
