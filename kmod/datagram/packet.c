// SPDX-License-Identifier: GPL-2.0
/*
 * packet.c - payload becomes an IPv4 packet and goes
 *
 * The kernel's own ip_append_data() is not to be had by a module, so payload is
 * collected and the IP header is written here. There is one buffer for each
 * datagram, however many parts it is made of; fragmentation is left to IP's
 * output.
 */
#include <linux/netdevice.h>
#include <net/ip.h>
#include <net/route.h>

#include "compat.h"
#include "dgram.h"
#include "watch/trace.h"

static unsigned int options_len(const struct inet_cork *cork)
{
	return cork->opt ? cork->opt->optlen : 0;
}

/* --- the payload --- */

/*
 * As in UDP, the first buffer may wait for datagrams before it to go; what a
 * datagram needs beyond one fragment waits for nobody. It is there within twice
 * SO_SNDBUF, or the datagram is lost. @charged: of @len, bytes that are paid.
 */
static bool dgram_has_room(const struct sock *sk, const struct inet_cork *cork,
			   size_t len, size_t charged)
{
	u32 header = sizeof(struct iphdr) + options_len(cork);
	u32 most = (cork->fragsize - header) & ~7u;
	u32 had = DGRAM_HDR + cork->length;

	if (DIV_ROUND_UP(had + len, most) == DIV_ROUND_UP(had, most))
		return true;
	return refcount_read(&sk->sk_wmem_alloc) + len - charged <=
	       2 * READ_ONCE(sk->sk_sndbuf);
}

/* What IP can carry; or, where it must not be fragmented, the path. */
static int check_length(struct sock *sk, const struct inet_cork_full *out,
			size_t len)
{
	const struct inet_cork *cork = &out->base;
	u32 header = sizeof(struct iphdr) + options_len(cork);
	u32 most = ip_sk_ignore_df(sk) ? IP_MAX_MTU : cork->fragsize;

	if (cork->length + len + DGRAM_HDR <= most - header)
		return 0;
	chalk_dgram_too_long(sk, &out->fl.u.ip4,
			     cork->fragsize + sizeof(struct iphdr) - header);
	return -EMSGSIZE;
}

static void dgram_set_timestamp(struct sock *sk, struct sk_buff *skb,
				u8 tx_flags)
{
	skb_shinfo(skb)->tx_flags = tx_flags;
	if (tx_flags & SKBTX_ANY_TSTAMP &&
	    READ_ONCE(sk->sk_tsflags) & SOF_TIMESTAMPING_OPT_ID)
		skb_shinfo(skb)->tskey = atomic_inc_return(&sk->sk_tskey) - 1;
}

/* What headers will need in front of payload. */
static unsigned int dgram_headroom(const struct inet_cork *cork)
{
	return LL_RESERVED_SPACE(cork->dst->dev) + cork->dst->header_len +
	       sizeof(struct iphdr) + options_len(cork) + DGRAM_HDR;
}

/* Much payload goes to pages: nobody has 64 KB in a row. */
static struct sk_buff *alloc_room(struct sock *sk, unsigned int headroom,
				  size_t len, int flags, int *err)
{
	size_t head = min_t(size_t, len, SKB_MAX_HEAD(headroom));
	struct sk_buff *skb;

	skb = sock_alloc_send_pskb(sk, headroom + head, len - head,
				   flags & MSG_DONTWAIT, err,
				   PAGE_ALLOC_COSTLY_ORDER);
	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	skb_put(skb, head);
	skb->data_len = len - head;
	skb->len = len;
	return skb;
}

/**
 * chalk_dgram_collect() - begin a datagram
 * @sk:  the socket; SO_SNDBUF pays
 * @msg: the payload, or the first part of it
 * @len: bytes of it
 * @out: where it goes
 *
 * Return: the packet, without headers, or negative errno.
 */
struct sk_buff *chalk_dgram_collect(struct sock *sk, struct msghdr *msg,
				    size_t len, struct inet_cork_full *out)
{
	int err = check_length(sk, out, len);
	struct sk_buff *skb;

	if (err)
		return ERR_PTR(err);
	skb = alloc_room(sk, dgram_headroom(&out->base), len, msg->msg_flags,
			 &err);
	if (skb && !dgram_has_room(sk, &out->base, len, len))
		err = -ENOBUFS;
	else if (skb)
		err = skb_copy_datagram_from_iter(skb, 0, &msg->msg_iter, len);
	if (err) {
		kfree_skb(skb);
		IP_INC_STATS(sock_net(sk), IPSTATS_MIB_OUTDISCARDS);
		return ERR_PTR(err);
	}
	if (msg->msg_flags & MSG_CONFIRM)
		skb_set_dst_pending_confirm(skb, 1);
	dgram_set_timestamp(sk, skb, out->base.tx_flags);
	out->base.length = len;
	return skb;
}

/* As much as the page at hand takes. Return: bytes, or negative errno. */
static ssize_t dgram_fill_page(struct sk_buff *skb, struct page_frag *pf,
			       struct msghdr *msg, size_t len)
{
	int nr = skb_shinfo(skb)->nr_frags;
	bool joins = skb_can_coalesce(skb, nr, pf->page, pf->offset);
	size_t n = min_t(size_t, len, pf->size - pf->offset);

	if (!joins && nr == MAX_SKB_FRAGS)
		return -EMSGSIZE;
	if (copy_page_from_iter(pf->page, pf->offset, n, &msg->msg_iter) != n)
		return -EFAULT;
	if (joins) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[nr - 1], n);
	} else {
		skb_fill_page_desc(skb, nr, pf->page, pf->offset, n);
		get_page(pf->page);
	}
	pf->offset += n;
	return n;
}

static int dgram_append_pages(struct sock *sk, struct sk_buff *skb,
			      struct msghdr *msg, size_t len)
{
	struct page_frag *pf = sk_page_frag(sk);
	ssize_t n;

	for (; len; len -= n) {
		if (!sk_page_frag_refill(sk, pf))
			return -ENOMEM;
		n = dgram_fill_page(skb, pf, msg, len);
		if (n < 0)
			return n;
		skb_len_add(skb, n);
		refcount_add(n, &sk->sk_wmem_alloc);
	}
	return 0;
}

/**
 * chalk_dgram_extend() - append to a datagram; never sleeps for SO_SNDBUF
 * @sk:  the socket, locked
 * @skb: the packet, without headers
 * @msg: the payload
 * @len: bytes of it
 * @out: where it goes
 *
 * Return: 0, or negative errno: then @skb is of no more use.
 */
int chalk_dgram_extend(struct sock *sk, struct sk_buff *skb, struct msghdr *msg,
		       size_t len, struct inet_cork_full *out)
{
	int err = check_length(sk, out, len);

	if (err)
		return err;
	err = -ENOBUFS;
	if (dgram_has_room(sk, &out->base, len, 0))
		err = dgram_append_pages(sk, skb, msg, len);
	if (err)
		IP_INC_STATS(sock_net(sk), IPSTATS_MIB_OUTDISCARDS);
	out->base.length += len;
	return err;
}

/* --- the datagram --- */

static void dgram_put_header(struct sk_buff *skb, const struct flowi4 *fl4)
{
	struct dgram d = {
		.sport = ntohs(fl4->fl4_sport),
		.dport = ntohs(fl4->fl4_dport),
		.len = skb->len,
	};

	dgram_build(&d, skb_push(skb, DGRAM_HDR));
	skb_reset_transport_header(skb);
}

/*
 * As for segments (output.c): only a device that sums anything can do ours.
 * skb_checksum_help() writes 0 as all ones, as RFC 768 wants.
 */
static int sum(struct sk_buff *skb, const struct flowi4 *fl4,
	       const struct dst_entry *dst)
{
	__sum16 *check = (__sum16 *)(skb->data + DGRAM_CHECKSUM_OFFSET);

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = DGRAM_CHECKSUM_OFFSET;
	*check = ~csum_tcpudp_magic(fl4->saddr, fl4->daddr, skb->len,
				    IPPROTO_CHALK_DGRAM, 0);
	if (dst->dev->features & NETIF_F_HW_CSUM)
		return 0;
	return skb_checksum_help(skb);
}

/* --- the IP header --- */

/* IP options that are filled in on the way begin with us (RFC 791 3.1). */
static void put_options(struct sk_buff *skb, const struct ip_options *opt,
			__be32 daddr)
{
	u8 *iph = skb_network_header(skb);
	__be32 *saddr = &ip_hdr(skb)->saddr;

	IPCB(skb)->opt = *opt;
	memcpy(iph + sizeof(struct iphdr), opt->__data, opt->optlen);
	if (opt->srr)
		memcpy(iph + opt->srr + iph[opt->srr + 1] - 4, &daddr, 4);
	if (opt->rr_needaddr)
		memcpy(iph + opt->rr + iph[opt->rr + 2] - 5, saddr, 4);
	if (opt->ts_needaddr)
		memcpy(iph + opt->ts + iph[opt->ts + 2] - 9, saddr, 4);
	if (opt->ts_needtime) {
		__be32 now = inet_current_timestamp();

		memcpy(iph + opt->ts + iph[opt->ts + 2] - 5, &now, 4);
	}
}

/* DF asks routers, ignore_df says that we ourselves may fragment still. */
static __be16 dont_fragment(const struct sock *sk, const struct sk_buff *skb,
			    const struct dst_entry *dst)
{
	u8 pmtudisc = inet_sk(sk)->pmtudisc;

	if (pmtudisc == IP_PMTUDISC_DO || pmtudisc == IP_PMTUDISC_PROBE ||
	    (skb->len <= dst_mtu(dst) && ip_dont_fragment(sk, dst)))
		return htons(IP_DF);
	return 0;
}

static int time_to_live(const struct sock *sk, const struct inet_cork *cork)
{
	const struct rtable *rt = (const struct rtable *)cork->dst;

	if (cork->ttl)
		return cork->ttl;
	if (rt->rt_type == RTN_MULTICAST)
		return inet_sk(sk)->mc_ttl;
	if (inet_sk(sk)->uc_ttl >= 0)
		return inet_sk(sk)->uc_ttl;
	return ip4_dst_hoplimit(cork->dst);
}

static void put_ip_header(struct sock *sk, struct sk_buff *skb,
			  const struct flowi4 *fl4,
			  const struct inet_cork *cork)
{
	unsigned int len = sizeof(struct iphdr) + options_len(cork);
	struct iphdr *iph = skb_push(skb, len);

	skb_reset_network_header(skb);
	skb->ignore_df = ip_sk_ignore_df(sk);
	iph->version = 4;
	iph->ihl = len / 4;
	iph->tos = cork->tos != -1 ? cork->tos : inet_sk(sk)->tos;
	iph->frag_off = dont_fragment(sk, skb, cork->dst);
	iph->ttl = time_to_live(sk, cork);
	iph->protocol = IPPROTO_CHALK_DGRAM;
	iph->saddr = fl4->saddr;
	iph->daddr = fl4->daddr;
	ip_select_ident(sock_net(sk), skb, sk);
	if (cork->opt)
		put_options(skb, cork->opt, cork->addr);
}

/* --- the way out --- */

static void dgram_trace_out(const struct sock *sk, const struct flowi4 *fl4,
			    u32 len)
{
	struct seg s = { .len = len };
	struct chalk_ends ends = chalk_ends_of_ipv4(fl4->saddr,
						    ntohs(fl4->fl4_sport),
						    fl4->daddr,
						    ntohs(fl4->fl4_dport));

	chalk_trace_stray(sock_net(sk), EV_SEND, BY_DATAGRAM, &ends, &s);
}

/* As UDP: a full queue of a device is for those to know who asked. */
static int transmit(struct sock *sk, struct sk_buff *skb)
{
	int err = ip_local_out(sock_net(sk), sk, skb);

	if (err > 0)
		err = net_xmit_errno(err);
	if (err)
		IP_INC_STATS(sock_net(sk), IPSTATS_MIB_OUTDISCARDS);
	else
		chalk_count(sock_net(sk), MIB_DGRAM_OUT);
	if (err != -ENOBUFS || chalk_wants_icmp_errors(sk))
		return err;
	chalk_count(sock_net(sk), MIB_DGRAM_SNDBUF);
	return 0;
}

/**
 * chalk_dgram_emit() - send a datagram
 * @sk:  the socket
 * @skb: its payload, consumed
 * @out: where it goes; the route is taken out
 */
int chalk_dgram_emit(struct sock *sk, struct sk_buff *skb,
		     struct inet_cork_full *out)
{
	const struct flowi4 *fl4 = &out->fl.u.ip4;
	struct inet_cork *cork = &out->base;
	int err;

	dgram_trace_out(sk, fl4, skb->len);
	dgram_put_header(skb, fl4);
	err = sum(skb, fl4, cork->dst);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	put_ip_header(sk, skb, fl4, cork);
	skb->priority = cork->tos != -1 ? cork->priority : sk->sk_priority;
	skb->mark = cork->mark;
	skb->tstamp = cork->transmit_time;
	skb_dst_set(skb, cork->dst);
	cork->dst = NULL;
	return transmit(sk, skb);
}
