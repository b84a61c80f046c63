/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - what differs between the kernels Chalk is built for (6.1 to 6.12)
 *
 * The only file that looks at the version. It gives the newer spelling, or a
 * neutral one, and every other file uses that.
 */
#ifndef CHALK_COMPAT_H
#define CHALK_COMPAT_H

#include <linux/bpf-cgroup.h>
#include <linux/ipv6.h>
#include <linux/sysctl.h>
#include <linux/tcp.h>
#include <linux/uaccess.h>
#include <linux/udp.h>
#include <linux/version.h>
#include <net/dropreason.h>
#include <net/inet_hashtables.h>
#include <net/inet_sock.h>
#include <net/inet_timewait_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/route.h>
#include <net/sock.h>

/*
 * inet_hash() and its kin look into struct proto for the hash tables only where
 * the kernel knows DCCP; elsewhere our sockets would end up among TCP's.
 */
#if !IS_ENABLED(CONFIG_IP_DCCP)
#error "Chalk needs a kernel with CONFIG_IP_DCCP=y or m"
#endif

/* The kernel is this version or a later one. */
#define CHALK_KERNEL(major, minor) \
	(KERNEL_VERSION(major, minor, 0) <= LINUX_VERSION_CODE)

/* 6.2: struct tcp_info tells of the receive window. */
#if CHALK_KERNEL(6, 2)
static inline void chalk_set_info_rcv_wnd(struct tcp_info *info, u32 wnd)
{
	info->tcpi_rcv_wnd = wnd;
}
#else
static inline void chalk_set_info_rcv_wnd(struct tcp_info *info, u32 wnd)
{
}
#endif

/* 6.10: questions about the memory of a protocol have a header of their own. */
#if CHALK_KERNEL(6, 10)
#include <net/proto_memory.h>
#endif

/* 6.5: proto.ioctl answers into kernel memory. */
#if CHALK_KERNEL(6, 5)
#define CHALK_IOCTL_ARG int *

static inline int chalk_ioctl_put(int *arg, int answer)
{
	*arg = answer;
	return 0;
}
#else
#define CHALK_IOCTL_ARG unsigned long

static inline int chalk_ioctl_put(unsigned long arg, int answer)
{
	return put_user(answer, (int __user *)arg);
}
#endif

/* 6.5: sendpage is gone, sendfile() comes through sendmsg as MSG_SPLICE_PAGES. */
#if CHALK_KERNEL(6, 5)
#define CHALK_PROTO_SENDPAGE
#define CHALK_DGRAM_SPLICE_OPS .splice_eof = chalk_dgram_splice_eof
#define CHALK_SPLICE_IN_OPS .splice_eof = chalk_splice_eof,
#define MSG_SENDPAGE_NOTLAST 0
#else
#define CHALK_DGRAM_SPLICE_OPS .sendpage = sock_no_sendpage
#define CHALK_PROTO_SENDPAGE .sendpage = chalk_sendpage,
#define CHALK_SPLICE_IN_OPS .sendpage = inet_sendpage,

/* Of one page in a bio_vec, which is all that a sendpage makes. */
static inline ssize_t skb_splice_from_iter(struct sk_buff *skb,
					   struct iov_iter *iter, ssize_t most,
					   gfp_t gfp)
{
	int nr = skb_shinfo(skb)->nr_frags;
	struct page *page;
	size_t off;
	ssize_t n;

	n = iov_iter_get_pages2(iter, &page, most, 1, &off);
	if (n <= 0)
		return n;
	if (skb_can_coalesce(skb, nr, page, off)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[nr - 1], n);
		put_page(page);
	} else if (nr < MAX_SKB_FRAGS) {
		skb_fill_page_desc(skb, nr, page, off, n);
	} else {
		put_page(page);
		iov_iter_revert(iter, n);
		return -EMSGSIZE;
	}
	skb_len_add(skb, n);
	return n;
}
#endif

/* 6.6: the flags of an inet_sock are bits of a word. */
#if CHALK_KERNEL(6, 6)
static inline bool chalk_wants_icmp_errors(const struct sock *sk)
{
	return inet_test_bit(RECVERR, sk);
}

static inline bool chalk_is_transparent(const struct sock *sk)
{
	return inet_test_bit(TRANSPARENT, sk);
}
#else
static inline bool chalk_wants_icmp_errors(const struct sock *sk)
{
	return inet_sk(sk)->recverr;
}

static inline bool chalk_is_transparent(const struct sock *sk)
{
	return inet_sk(sk)->transparent;
}
#endif

#if IS_ENABLED(CONFIG_IPV6)
/* 6.6: struct proto says where in the socket struct ipv6_pinfo is. */
#if CHALK_KERNEL(6, 6)
#define chalk_set_pinfo_offset(prot, offset) \
	((prot)->ipv6_pinfo_offset = (offset))
#else
#define chalk_set_pinfo_offset(prot, offset) ((void)(offset))
#endif

/* 6.7: so do the flags of an IPv6 socket. */
#if CHALK_KERNEL(6, 7)
static inline bool chalk_sends_label(const struct sock *sk)
{
	return inet6_test_bit(SNDFLOW, sk);
}

static inline bool chalk_reflects_label(const struct sock *sk)
{
	return inet6_test_bit(REPFLOW, sk);
}

static inline bool chalk_wants_icmp6_errors(const struct sock *sk)
{
	return inet6_test_bit(RECVERR6, sk);
}
#else
static inline bool chalk_sends_label(const struct sock *sk)
{
	return inet6_sk(sk)->sndflow;
}

static inline bool chalk_reflects_label(const struct sock *sk)
{
	return inet6_sk(sk)->repflow;
}

static inline bool chalk_wants_icmp6_errors(const struct sock *sk)
{
	return inet6_sk(sk)->recverr;
}
#endif

/* 6.12, in its later updates: the list of flow labels is the inet_sock's. */
#if CHALK_KERNEL(6, 12)
static inline void chalk_forget_labels(struct sock *sk)
{
	RCU_INIT_POINTER(inet_sk(sk)->ipv6_fl_list, NULL);
}
#else
static inline void chalk_forget_labels(struct sock *sk)
{
	RCU_INIT_POINTER(inet6_sk(sk)->ipv6_fl_list, NULL);
}
#endif
#endif /* CONFIG_IPV6 */

/* 6.6: the size of a sysctl table is told; 6.11: its handlers get it const. */
#if !CHALK_KERNEL(6, 6)
#define register_net_sysctl_sz(net, path, table, size) \
	register_net_sysctl(net, path, table)
#endif

#if CHALK_KERNEL(6, 11)
#define CHALK_CTL_TABLE const struct ctl_table
#else
#define CHALK_CTL_TABLE struct ctl_table
#endif

/* 6.6: the same for what only datagrams ask. */
#if CHALK_KERNEL(6, 6)
static inline bool chalk_takes_all_groups(const struct sock *sk)
{
	return inet_test_bit(MC_ALL, sk);
}

static inline unsigned int chalk_cmsg_flags(const struct sock *sk)
{
	return inet_cmsg_flags(inet_sk(sk));
}
#else
static inline bool chalk_takes_all_groups(const struct sock *sk)
{
	return inet_sk(sk)->mc_all;
}

static inline unsigned int chalk_cmsg_flags(const struct sock *sk)
{
	return inet_sk(sk)->cmsg_flags;
}
#endif

#if IS_ENABLED(CONFIG_IPV6)
/* 6.7: the flags of an IPv6 socket are among those. */
#if CHALK_KERNEL(6, 7)
static inline bool chalk_takes_all_groups6(const struct sock *sk)
{
	return inet6_test_bit(MC6_ALL, sk);
}

static inline void chalk_ipcm6_init(struct ipcm6_cookie *ipc, struct sock *sk)
{
	ipcm6_init_sk(ipc, sk);
	ipc->sockc.tsflags = READ_ONCE(sk->sk_tsflags);
	ipc->sockc.mark = READ_ONCE(sk->sk_mark);
}
#else
static inline bool chalk_takes_all_groups6(const struct sock *sk)
{
	return inet6_sk(sk)->mc_all;
}

static inline void chalk_ipcm6_init(struct ipcm6_cookie *ipc, struct sock *sk)
{
	ipcm6_init_sk(ipc, inet6_sk(sk));
	ipc->sockc.tsflags = READ_ONCE(sk->sk_tsflags);
	ipc->sockc.mark = READ_ONCE(sk->sk_mark);
}
#endif
#endif /* CONFIG_IPV6 */

/* 6.5: a route on the link is asked for by its scope, no more by a TOS bit. */
#if CHALK_KERNEL(6, 5)
#define chalk_scope_tos(scope) 0
#else
#define chalk_scope_tos(scope) ((scope) == RT_SCOPE_LINK ? RTO_ONLINK : 0)

static inline u8 ip_sendmsg_scope(const struct inet_sock *inet,
				  const struct ipcm_cookie *ipc,
				  const struct msghdr *msg)
{
	if (sock_flag(&inet->sk, SOCK_LOCALROUTE) ||
	    msg->msg_flags & MSG_DONTROUTE ||
	    (ipc->opt && ipc->opt->opt.is_strictroute))
		return RT_SCOPE_LINK;
	return RT_SCOPE_UNIVERSE;
}
#endif

/* 6.2: UDP lends the birth of its sockets; 6.9: and remembers SO_PEEK_OFF. */
#if !CHALK_KERNEL(6, 2)
static inline void udp_lib_init_sock(struct sock *sk)
{
	skb_queue_head_init(&udp_sk(sk)->reader_queue);
}
#endif

#if !CHALK_KERNEL(6, 9)
#define udp_set_peek_off sk_set_peek_off
#endif

/*
 * The program of a cgroup that @hook names, such as INET4_CONNECT, looks at an
 * address, and may change it. 6.7: and its length. With a locked socket; the names
 * in _LOCK lock it.
 */
#if CHALK_KERNEL(6, 7)
#define chalk_cgroup_run(hook, sk, addr, len, ...) \
	BPF_CGROUP_RUN_PROG_##hook(sk, addr, len, ##__VA_ARGS__)
#else
#define chalk_cgroup_run(hook, sk, addr, len, ...) \
	BPF_CGROUP_RUN_PROG_##hook(sk, addr, ##__VA_ARGS__)
#endif

/* 6.10: a control message is looked at without its message. */
#if CHALK_KERNEL(6, 10)
#define chalk_sock_cmsg(sk, msg, cmsg, sockc) __sock_cmsg_send(sk, cmsg, sockc)
#else
#define chalk_sock_cmsg(sk, msg, cmsg, sockc) \
	__sock_cmsg_send(sk, msg, cmsg, sockc)
#endif

/* 6.9: a handler of inet_diag names its module. */
#if CHALK_KERNEL(6, 9)
#define CHALK_DIAG_OWNER .owner = THIS_MODULE,
#else
#define CHALK_DIAG_OWNER
#endif

/*
 * 6.10: a TIME_WAIT record is hashed and its timer started in one go. What did it
 * before lets a lookup find neither the socket nor the record: the segment gets a
 * RST. So the record takes the place of the socket in the chain, ready for use.
 */
#if !CHALK_KERNEL(6, 10)
static inline void chalk_twsk_add_to_binds(struct inet_timewait_sock *tw,
					   struct sock *sk,
					   struct inet_hashinfo *tables)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct inet_bind_hashbucket *bhead, *bhead2;
	struct net *net = twsk_net(tw);

	bhead = &tables->bhash[inet_bhashfn(net, inet_sk(sk)->inet_num,
					    tables->bhash_size)];
	bhead2 = inet_bhashfn_portaddr(tables, sk, net, inet_sk(sk)->inet_num);
	spin_lock(&bhead->lock);
	spin_lock(&bhead2->lock);
	tw->tw_tb = icsk->icsk_bind_hash;
	hlist_add_head(&tw->tw_bind_node, &tw->tw_tb->owners);
	tw->tw_tb2 = icsk->icsk_bind2_hash;
	hlist_add_head(&tw->tw_bind2_node, &tw->tw_tb2->deathrow);
	spin_unlock(&bhead2->lock);
	spin_unlock(&bhead->lock);
}

/* A lookup that stands at the socket goes on behind it. */
static inline void chalk_twsk_take_place(struct inet_timewait_sock *tw,
					 struct sock *sk)
{
	struct hlist_nulls_node *old = &sk->sk_nulls_node;
	struct hlist_nulls_node *new = &tw->tw_node;

	WRITE_ONCE(new->next, old->next);
	WRITE_ONCE(new->pprev, old->pprev);
	/* whoever finds the record finds it whole, and where the chain goes on */
	smp_store_release(new->pprev, new);
	if (!is_a_nulls(new->next))
		WRITE_ONCE(new->next->pprev, &new->next);
	WRITE_ONCE(old->pprev, NULL);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
}

static inline void inet_twsk_hashdance_schedule(struct inet_timewait_sock *tw,
						struct sock *sk,
						struct inet_hashinfo *tables,
						int timeo)
{
	spinlock_t *lock = inet_ehash_lockp(tables, sk->sk_hash);

	local_bh_disable();
	chalk_twsk_add_to_binds(tw, sk, tables);
	spin_lock(lock);
	/* one each for bhash, ehash and the timer */
	refcount_set(&tw->tw_refcnt, 3);
	inet_twsk_schedule(tw, timeo);
	chalk_twsk_take_place(tw, sk);
	spin_unlock(lock);
	local_bh_enable();
}
#endif

/* 6.12, some earlier: more words for why a packet is dropped. */
#if !CHALK_KERNEL(6, 12)
#define SKB_DROP_REASON_TCP_MINTTL SKB_DROP_REASON_NOT_SPECIFIED
#define SKB_DROP_REASON_TCP_INVALID_ACK_SEQUENCE \
	SKB_DROP_REASON_TCP_INVALID_SEQUENCE
#define SKB_DROP_REASON_TCP_ABORT_ON_DATA SKB_DROP_REASON_TCP_CLOSE
#endif

#endif /* CHALK_COMPAT_H */
