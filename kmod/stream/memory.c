// SPDX-License-Identifier: GPL-2.0
/*
 * memory.c - the memory that all streams share, and how little each must have
 *
 * The kernel counts the pages of all sockets of a protocol, for all namespaces
 * together, and refuses more where they are too many (net.chalk.mem). No user may
 * stop the others that way: each stream can always take the next segment in
 * order and send the next one, as with TCP. Orphans, which nobody waits for, go
 * first.
 */
#include <linux/memcontrol.h>
#include <linux/swap.h>

#include "compat.h"
#include "sock.h"

/**
 * chalk_memory_init() - limits that suit the machine
 *
 * Those of TCP: a quarter less than, exactly, and half as much again as 1/16 of
 * the free pages; an orphan for every second chain of the table.
 */
void chalk_memory_init(void)
{
	unsigned long pages = max(nr_free_buffer_pages() / 16, 128UL);

	chalk_mem[0] = pages / 4 * 3;
	chalk_mem[1] = pages;
	chalk_mem[2] = chalk_mem[0] * 2;
	chalk_max_orphans = (chalk_hashinfo.ehash_mask + 1) / 2;
}

/**
 * chalk_memory() - how short memory is, for the core
 * @sk: the socket
 */
enum memory chalk_memory(const struct sock *sk)
{
	if (likely(!sk_under_memory_pressure(sk)))
		return MEMORY_PLENTY;
	return sk_memory_allocated(sk) > sk_prot_mem_limits(sk, 2) ?
		       MEMORY_OUT :
		       MEMORY_SHORT;
}

/**
 * chalk_force_memory() - memory for a buffer, whatever the limits say
 * @sk:   the socket, locked
 * @size: bytes of the buffer; the caller charges them afterwards
 *
 * Does what sk_forced_mem_schedule() does, which modules can't call. Nor can they
 * force a charge on a memory cgroup: a socket in one owes the bytes instead, with
 * sk_forward_alloc below zero as after a packet of pfmemalloc, and pays with the
 * next buffer that is scheduled or freed.
 */
void chalk_force_memory(struct sock *sk, int size)
{
	int pages = sk_mem_pages(max(size - sk->sk_forward_alloc, 0));

	if (!pages || (mem_cgroup_sockets_enabled && sk->sk_memcg))
		return;
	sk_forward_alloc_add(sk, pages << PAGE_SHIFT);
	atomic_long_add(pages, sk->sk_prot->memory_allocated);
}

/* --- orphans --- */

static unsigned int orphans(const struct sock *sk)
{
	unsigned int sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(sk->sk_prot->orphan_count, cpu);
	/* one that is counted up here and down there may be missing */
	return max_t(int, sum, 0);
}

static bool holds_too_much(const struct sock *sk)
{
	return sk->sk_wmem_queued > SOCK_MIN_SNDBUF &&
	       sk_memory_allocated(sk) > sk_prot_mem_limits(sk, 2);
}

/**
 * chalk_spares_orphan() - whether an orphan may live on; tcp_check_oom()
 * @sk:     the socket, locked; no process holds it
 * @weight: powers of two of orphans that it counts for
 */
bool chalk_spares_orphan(const struct sock *sk, u32 weight)
{
	return (u64)orphans(sk) << weight <= READ_ONCE(chalk_max_orphans) &&
	       !holds_too_much(sk);
}
