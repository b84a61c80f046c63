// SPDX-License-Identifier: GPL-2.0
/*
 * trace_filter.c - which events a reader wants
 *
 * Owns the words that choose: "port=80 event=cwnd,ssthresh". Each key narrows
 * the choice; several values of one key widen it. Owns the file "filter" too,
 * the one that readers begin with.
 */
#include <linux/bits.h>
#include <linux/inet.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "trace.h"

/* What readers begin with; empty: all events. */
static struct chalk_filter default_filter;
static DEFINE_MUTEX(default_lock);

/* --- a filter is used --- */

static bool has_number(const u32 *list, unsigned int n, u32 value)
{
	while (n--)
		if (list[n] == value)
			return true;
	return false;
}

static bool has_addr(const struct chalk_filter *f, const struct in6_addr *addr)
{
	unsigned int n = f->nr_addrs;

	while (n--)
		if (ipv6_addr_equal(&f->addrs[n], addr))
			return true;
	return false;
}

/**
 * chalk_filter_passes() - whether a reader wants an event
 * @f:  its filter
 * @it: the event
 */
bool chalk_filter_passes(const struct chalk_filter *f,
			 const struct chalk_item *it)
{
	const struct chalk_ends *e = it->ends;

	if (f->kinds && !(f->kinds & BIT_ULL(it->ev->kind)))
		return false;
	if (f->nr_conns && !has_number(f->conns, f->nr_conns, it->ev->conn))
		return false;
	if (f->nr_netns && !has_number(f->netns, f->nr_netns, it->netns))
		return false;
	if (f->nr_ports && !has_number(f->ports, f->nr_ports, e->lport) &&
	    !has_number(f->ports, f->nr_ports, e->rport))
		return false;
	return !f->nr_addrs || has_addr(f, &e->laddr) || has_addr(f, &e->raddr);
}

/* --- a filter is read --- */

static int add_number(u32 *list, u8 *n, const char *text, u32 max)
{
	u32 value;

	if (kstrtou32(text, 0, &value) || value > max)
		return -EINVAL;
	if (*n == CHALK_FILTER_VALUES)
		return -E2BIG;
	list[(*n)++] = value;
	return 0;
}

static int add_addr(struct chalk_filter *f, const char *text)
{
	struct in6_addr addr;
	__be32 v4;

	if (in4_pton(text, -1, (u8 *)&v4, -1, NULL))
		ipv6_addr_set_v4mapped(v4, &addr);
	else if (!in6_pton(text, -1, addr.s6_addr, -1, NULL))
		return -EINVAL;
	if (f->nr_addrs == CHALK_FILTER_VALUES)
		return -E2BIG;
	f->addrs[f->nr_addrs++] = addr;
	return 0;
}

static int add_kind(struct chalk_filter *f, const char *text)
{
	unsigned int kind;

	BUILD_BUG_ON(NR_EVENT_KINDS > BITS_PER_LONG_LONG);
	for (kind = 0; kind < NR_EVENT_KINDS; kind++) {
		if (!strcmp(text, event_kind_name(kind))) {
			f->kinds |= BIT_ULL(kind);
			return 0;
		}
	}
	return -EINVAL;
}

static int add_value(struct chalk_filter *f, const char *key, const char *text)
{
	if (!strcmp(key, "port"))
		return add_number(f->ports, &f->nr_ports, text, U16_MAX);
	if (!strcmp(key, "addr"))
		return add_addr(f, text);
	if (!strcmp(key, "conn"))
		return add_number(f->conns, &f->nr_conns, text, U32_MAX);
	if (!strcmp(key, "netns"))
		return add_number(f->netns, &f->nr_netns, text, U32_MAX);
	if (!strcmp(key, "event"))
		return add_kind(f, text);
	return -EINVAL;
}

/* key=value,value */
static int add_word(struct chalk_filter *f, char *word)
{
	char *key = strsep(&word, "=");
	char *value;
	int err = word ? 0 : -EINVAL;

	while (!err && (value = strsep(&word, ",")))
		err = add_value(f, key, value);
	return err;
}

static int parse(struct chalk_filter *f, char *words)
{
	char *word;
	int err = 0;

	while (!err && (word = strsep(&words, " \t\n")))
		if (*word)
			err = add_word(f, word);
	return err;
}

/**
 * chalk_filter_from_user() - read a filter that a program writes
 * @buf:  its words
 * @size: bytes
 *
 * Return: the filter, or an error: -EINVAL where it makes no sense, -E2BIG
 * where it is too long.
 */
struct chalk_filter *chalk_filter_from_user(const char __user *buf, size_t size)
{
	char words[CHALK_FILTER_MAX];
	struct chalk_filter *f;
	int err;

	if (size >= sizeof(words))
		return ERR_PTR(-E2BIG);
	if (copy_from_user(words, buf, size))
		return ERR_PTR(-EFAULT);
	words[size] = '\0';
	if (strlen(words) != size)
		return ERR_PTR(-EINVAL);
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return ERR_PTR(-ENOMEM);
	strscpy(f->text, strim(words), sizeof(f->text));
	err = parse(f, words);
	if (!err)
		return f;
	kfree(f);
	return ERR_PTR(err);
}

/* --- the default --- */

/**
 * chalk_filter_default() - what a new reader begins with
 *
 * Return: the filter, NULL: all events; or an error.
 */
struct chalk_filter *chalk_filter_default(void)
{
	struct chalk_filter *f = NULL;

	mutex_lock(&default_lock);
	if (*default_filter.text) {
		f = kmemdup(&default_filter, sizeof(*f), GFP_KERNEL);
		if (!f)
			f = ERR_PTR(-ENOMEM);
	}
	mutex_unlock(&default_lock);
	return f;
}

static ssize_t filter_read(struct file *file, char __user *buf, size_t size,
			   loff_t *pos)
{
	char text[CHALK_FILTER_MAX + 1];
	size_t n;

	mutex_lock(&default_lock);
	n = scnprintf(text, sizeof(text), "%s\n", default_filter.text);
	mutex_unlock(&default_lock);
	return simple_read_from_buffer(buf, size, pos, text, n);
}

static ssize_t filter_write(struct file *file, const char __user *buf,
			    size_t size, loff_t *pos)
{
	struct chalk_filter *f = chalk_filter_from_user(buf, size);

	if (IS_ERR(f))
		return PTR_ERR(f);
	mutex_lock(&default_lock);
	default_filter = *f;
	mutex_unlock(&default_lock);
	kfree(f);
	return size;
}

const struct file_operations chalk_trace_filter_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = filter_read,
	.write = filter_write,
	.llseek = default_llseek,
};
