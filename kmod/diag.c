// SPDX-License-Identifier: GPL-2.0
/*
 * diag.c - chalk_diag.ko: Chalk's sockets for the kernel's inet_diag
 *
 * What "chalk ss" reads and kills through NETLINK_SOCK_DIAG. A module of its own,
 * as for TCP and DCCP, so that chalk.ko does not need inet_diag. The kernel
 * loads it when protocol 253 is asked for; while it is loaded chalk.ko stays.
 *
 * inet_diag walks our tables, filters, and makes the messages; chalk.ko fills in
 * what only it knows (stream/info.c). The kernel writes a record of SYN_RCVD into the
 * message by itself, with the timer that we keep from firing (stream/listen.c), so
 * those messages are corrected after it.
 */
#include <linux/inet_diag.h>
#include <linux/module.h>
#include <linux/sock_diag.h>
#include <net/netlink.h>

#include "compat.h"
#include "stream/sock.h"

static void diag_get_info(struct sock *sk, struct inet_diag_msg *msg,
			  void *info)
{
	chalk_get_diag(sk, msg, info);
}

/* The kernel leaves room for the name of the congestion control. */
static int diag_get_aux(struct sock *sk, bool net_admin, struct sk_buff *skb)
{
	return nla_put_string(skb, INET_DIAG_CONG, chalk_get_cc_name(sk));
}

/* --- records of SYN_RCVD --- */

static bool is_record(const struct sock *sk)
{
	return inet_sk_state_load(sk) == TCP_NEW_SYN_RECV;
}

/* Return: what a message tells of, with a reference, or an error. */
static struct sock *find_again(struct net *net, const struct inet_diag_msg *msg)
{
	const struct inet_diag_req_v2 req = {
		.sdiag_family = msg->idiag_family,
		.id = msg->id,
	};

	return inet_diag_find_one_icsk(net, &chalk_hashinfo, &req);
}

static void diag_put_socket(struct sock *sk)
{
	/* as the kernel frees records: with softirqs off */
	local_bh_disable();
	sock_gen_put(sk);
	local_bh_enable();
}

static void correct(struct net *net, struct inet_diag_msg *msg)
{
	struct sock *sk;

	if (msg->idiag_state != TCP_SYN_RECV)
		return;
	sk = find_again(net, msg);
	if (IS_ERR(sk))
		return;
	if (is_record(sk))
		chalk_get_diag_req(inet_reqsk(sk), msg);
	diag_put_socket(sk);
}

/* --- the handler --- */

static void dump(struct sk_buff *skb, struct netlink_callback *cb,
		 const struct inet_diag_req_v2 *req)
{
	struct net *net = sock_net(cb->skb->sk);
	unsigned int before = skb->len;
	struct nlmsghdr *nlh;
	int rest;

	inet_diag_dump_icsk(&chalk_hashinfo, skb, cb, req);
	nlh = (struct nlmsghdr *)(skb->data + before);
	rest = skb->len - before;
	for (; nlmsg_ok(nlh, rest); nlh = nlmsg_next(nlh, &rest))
		correct(net, nlmsg_data(nlh));
}

static int dump_record(struct netlink_callback *cb, struct sock *sk)
{
	u32 port = NETLINK_CB(cb->skb).portid;
	struct inet_diag_msg *msg;
	struct nlmsghdr *nlh;
	struct sk_buff *skb;

	skb = nlmsg_new(sizeof(*msg), GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	nlh = nlmsg_put(skb, port, cb->nlh->nlmsg_seq, cb->nlh->nlmsg_type,
			sizeof(*msg), 0);
	msg = nlmsg_data(nlh);
	memset(msg, 0, sizeof(*msg));
	inet_diag_msg_common_fill(msg, sk);
	msg->idiag_state = TCP_SYN_RECV;
	chalk_get_diag_req(inet_reqsk(sk), msg);
	nlmsg_end(skb, nlh);
	return nlmsg_unicast(sock_net(cb->skb->sk)->diag_nlsk, skb, port);
}

static int dump_one(struct netlink_callback *cb,
		    const struct inet_diag_req_v2 *req)
{
	struct sock *sk;
	int err;

	sk = inet_diag_find_one_icsk(sock_net(cb->skb->sk), &chalk_hashinfo,
				     req);
	if (IS_ERR(sk))
		return PTR_ERR(sk);
	if (is_record(sk)) {
		err = dump_record(cb, sk);
		diag_put_socket(sk);
		return err;
	}
	/* it is looked up again, and its lock may take long */
	diag_put_socket(sk);
	return inet_diag_dump_one_icsk(&chalk_hashinfo, cb, req);
}

static int destroy(struct sk_buff *skb, const struct inet_diag_req_v2 *req)
{
	struct sock *sk;
	int err;

	sk = inet_diag_find_one_icsk(sock_net(skb->sk), &chalk_hashinfo, req);
	if (IS_ERR(sk))
		return PTR_ERR(sk);
	err = sock_diag_destroy(sk, ECONNABORTED);
	diag_put_socket(sk);
	return err;
}

/* clang-format off */
static const struct inet_diag_handler handler = {
	.dump = dump,
	.dump_one = dump_one,
	.idiag_get_info = diag_get_info,
	.idiag_get_aux = diag_get_aux,
	.destroy = destroy,
	.idiag_type = IPPROTO_CHALK,
	.idiag_info_size = sizeof(struct tcp_info),
	CHALK_DIAG_OWNER
};

/* clang-format on */

static int __init chalk_diag_init(void)
{
	return inet_diag_register(&handler);
}

static void __exit chalk_diag_exit(void)
{
	inet_diag_unregister(&handler);
}

module_init(chalk_diag_init);
module_exit(chalk_diag_exit);

MODULE_DESCRIPTION("Chalk's sockets for inet_diag");
MODULE_LICENSE("GPL");
/* what sock_load_diag_module() asks for: netlink, sock_diag, AF_INET, 253 */
MODULE_ALIAS("net-pf-16-proto-4-type-2-253");
