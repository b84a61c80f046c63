// SPDX-License-Identifier: GPL-2.0
/*
 * demux.c - the hash tables, and what is hashed besides: sequence numbers
 *
 * Owns chalk_hashinfo. The kernel's inet_hash(), __inet_lookup_skb() and so on
 * do the work in them. stream/sock.h says what stands in which table.
 */
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/vmalloc.h>
#include <net/netns/hash.h>

#include "core/isn.h"
#include "ip.h"

/* Powers of two. A chain of some is fine: this is for laboratories. */
#define EHASH_BUCKETS 16384
#define BHASH_BUCKETS 4096

struct inet_hashinfo chalk_hashinfo;
EXPORT_SYMBOL_GPL(chalk_hashinfo);

static siphash_aligned_key_t isn_key;
static siphash_aligned_key_t ts_key;

/* --- tables --- */

static int alloc_ehash(struct inet_hashinfo *h)
{
	int i;

	h->ehash = kvmalloc_array(EHASH_BUCKETS, sizeof(*h->ehash), GFP_KERNEL);
	if (!h->ehash)
		return -ENOMEM;
	h->ehash_mask = EHASH_BUCKETS - 1;
	for (i = 0; i < EHASH_BUCKETS; i++)
		INIT_HLIST_NULLS_HEAD(&h->ehash[i].chain, i);
	if (inet_ehash_locks_alloc(h)) {
		kvfree(h->ehash);
		return -ENOMEM;
	}
	return 0;
}

static void free_ehash(struct inet_hashinfo *h)
{
	inet_ehash_locks_free(h);
	kvfree(h->ehash);
}

/* The locks of the two nest, so each array gets a lock class of its own. */
static int alloc_bhash(struct inet_hashinfo *h)
{
	int i;

	h->bhash = kvmalloc_array(BHASH_BUCKETS, 2 * sizeof(*h->bhash),
				  GFP_KERNEL);
	if (!h->bhash)
		return -ENOMEM;
	h->bhash2 = h->bhash + BHASH_BUCKETS;
	h->bhash_size = BHASH_BUCKETS;
	for (i = 0; i < BHASH_BUCKETS; i++) {
		spin_lock_init(&h->bhash[i].lock);
		INIT_HLIST_HEAD(&h->bhash[i].chain);
		spin_lock_init(&h->bhash2[i].lock);
		INIT_HLIST_HEAD(&h->bhash2[i].chain);
	}
	return 0;
}

static void free_bhash(struct inet_hashinfo *h)
{
	kvfree(h->bhash);
}

static int create_caches(struct inet_hashinfo *h)
{
	h->bind_bucket_cachep =
		kmem_cache_create("chalk_bind_bucket",
				  sizeof(struct inet_bind_bucket), 0,
				  SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT, NULL);
	if (!h->bind_bucket_cachep)
		return -ENOMEM;
	h->bind2_bucket_cachep =
		kmem_cache_create("chalk_bind2_bucket",
				  sizeof(struct inet_bind2_bucket), 0,
				  SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT, NULL);
	if (h->bind2_bucket_cachep)
		return 0;
	kmem_cache_destroy(h->bind_bucket_cachep);
	return -ENOMEM;
}

static void destroy_caches(struct inet_hashinfo *h)
{
	kmem_cache_destroy(h->bind2_bucket_cachep);
	kmem_cache_destroy(h->bind_bucket_cachep);
}

/**
 * chalk_demux_init() - make the tables
 */
int chalk_demux_init(void)
{
	struct inet_hashinfo *h = &chalk_hashinfo;
	int err;

	get_random_bytes(&isn_key, sizeof(isn_key));
	get_random_bytes(&ts_key, sizeof(ts_key));
	err = inet_hashinfo2_init_mod(h);
	if (err)
		return err;
	err = create_caches(h);
	if (err)
		goto out_lhash2;
	err = alloc_ehash(h);
	if (err)
		goto out_caches;
	err = alloc_bhash(h);
	if (err)
		goto out_ehash;
	return 0;

out_ehash:
	free_ehash(h);
out_caches:
	destroy_caches(h);
out_lhash2:
	inet_hashinfo2_free_mod(h);
	return err;
}

/**
 * chalk_demux_exit() - the reverse; the tables are empty
 */
void chalk_demux_exit(void)
{
	struct inet_hashinfo *h = &chalk_hashinfo;

	free_bhash(h);
	free_ehash(h);
	destroy_caches(h);
	inet_hashinfo2_free_mod(h);
}

/* --- sequence numbers --- */

/**
 * chalk_isn() - the initial sequence number of a connection (RFC 6528)
 * @net:  the namespace
 * @ends: between whom it is
 * @now:  microseconds
 */
u32 chalk_isn(struct net *net, const struct chalk_ends *ends, u64 now)
{
	const struct {
		struct chalk_ends ends;
		u32 net;
	} name = { *ends, net_hash_mix(net) };

	return isn(siphash(&name, sizeof(name), &isn_key), now);
}

/**
 * chalk_ts_off() - where our timestamp clock starts towards a host
 * @net:  the namespace
 * @ends: between whom the connection is
 *
 * The same for all ports, so that a new connection's timestamps are beyond an
 * old one's (RFC 6191).
 */
u32 chalk_ts_off(struct net *net, const struct chalk_ends *ends)
{
	const struct {
		struct in6_addr laddr, raddr;
		u32 net;
	} hosts = { ends->laddr, ends->raddr, net_hash_mix(net) };

	return siphash(&hosts, sizeof(hosts), &ts_key);
}
