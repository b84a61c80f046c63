// SPDX-License-Identifier: GPL-2.0
/*
 * vmcrash - break the kernel in a chosen way, to prove that the VM notices.
 *
 * insmod vmcrash.ko how=warn|oops|kasan|lockdep|leak|hang|sleep|spin
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *how = "";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "warn, oops, kasan, lockdep, leak, hang, sleep or spin");

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);

static void crash_warn(void)
{
	WARN(1, "vmcrash warns\n");
}

static void crash_oops(void)
{
	int *nowhere = NULL;

	OPTIMIZER_HIDE_VAR(nowhere);
	WRITE_ONCE(*nowhere, 1);
}

/* A write just behind an object. */
static void crash_kasan(void)
{
	char *p = kmalloc(16, GFP_KERNEL);

	if (!p)
		return;
	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(p[16], 1);
	kfree(p);
}

/* Two locks, taken in both orders. */
static void crash_lockdep(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);

	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
}

static void crash_leak(void)
{
	void *p = kmalloc(64, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
}

/* A task that nobody wakes. */
static void crash_hang(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule();
}

static void crash_sleep(void)
{
	spin_lock(&first);
	msleep(20);
	spin_unlock(&first);
}

/* A processor that hears nothing any more. */
static void crash_spin(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static const struct {
	const char *name;
	void (*crash)(void);
} ways[] = {
	{ "warn", crash_warn },	  { "oops", crash_oops },
	{ "kasan", crash_kasan }, { "lockdep", crash_lockdep },
	{ "leak", crash_leak },	  { "hang", crash_hang },
	{ "sleep", crash_sleep }, { "spin", crash_spin },
};

static int __init vmcrash_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!strcmp(how, ways[i].name)) {
			pr_info("how=%s\n", how);
			ways[i].crash();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit vmcrash_exit(void)
{
}

module_init(vmcrash_init);
module_exit(vmcrash_exit);
MODULE_DESCRIPTION("Breaks the kernel in a chosen way");
MODULE_LICENSE("GPL");
