// SPDX-License-Identifier: GPL-2.0
/*
 * trace_text.c - the trace for people: records as lines, numbers by their names
 *
 * Owns the file "names", which lists what the numbers of the binary form mean.
 */
#include <linux/module.h>
#include <linux/seq_file.h>

#include "core/state.h"
#include "trace.h"

/**
 * chalk_format_end() - an address and a port as text
 * @buf:  CHALK_END_MAX bytes
 * @addr: the address; a mapped one is shown as the IPv4 address it is
 * @port: the port
 */
void chalk_format_end(char *buf, const struct in6_addr *addr, u16 port)
{
	if (ipv6_addr_v4mapped(addr))
		snprintf(buf, CHALK_END_MAX, "%pI4:%u", &addr->s6_addr32[3],
			 port);
	else
		snprintf(buf, CHALK_END_MAX, "[%pI6c]:%u", addr, port);
}

static void format_end(char *buf, const __u8 addr[16], u16 port)
{
	struct in6_addr a;

	memcpy(&a, addr, sizeof(a));
	chalk_format_end(buf, &a, port);
}

/**
 * chalk_record_text() - a record as a line
 * @buf:  where to
 * @size: its bytes; EVENT_LINE_MAX is enough
 * @r:    the record
 *
 * Return: characters written, without the NUL.
 */
size_t chalk_record_text(char *buf, size_t size,
			 const struct chalk_trace_record *r)
{
	char local[CHALK_END_MAX], remote[CHALK_END_MAX];
	struct event ev;

	if (r->kind == CHALK_TRACE_LOST)
		return scnprintf(buf, size, "# lost %u\n", r->new);
	format_end(local, r->laddr, r->lport);
	format_end(remote, r->raddr, r->rport);
	chalk_record_event(&ev, r);
	return event_format(buf, size, &ev, local, remote, r->netns);
}

static int names_show(struct seq_file *m, void *v)
{
	unsigned int i;

	seq_puts(m, "what\tnumber\tname\tclause\n");
	for (i = 0; i < NR_EVENT_KINDS; i++)
		seq_printf(m, "kind\t%u\t%s\t-\n", i, event_kind_name(i));
	seq_printf(m, "kind\t%u\tlost\t-\n", CHALK_TRACE_LOST);
	for (i = 0; i < NR_CAUSES; i++)
		seq_printf(m, "cause\t%u\t%s\t%s\n", i, cause_name(i),
			   cause_clause(i));
	for (i = 0; i < NR_STATES; i++)
		seq_printf(m, "state\t%u\t%s\t-\n", i, state_name(i));
	return 0;
}

static int names_open(struct inode *inode, struct file *file)
{
	return single_open(file, names_show, NULL);
}

const struct file_operations chalk_trace_names_fops = {
	.owner = THIS_MODULE,
	.open = names_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};
