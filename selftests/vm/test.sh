#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test.sh - tests of the lab VM itself.
#
# Usage: test.sh [all]
#
# First the boots, two at a time, each leaving NAME.out, .err, .status, .seconds
# and .console; then the assertions on what they left.  Nothing needs chalk.ko:
# crash/vmcrash.c breaks the kernel on request.
#
# Most of them are skipped, and counted so, if all succeeded once and neither
# the VM's files, the kernels nor QEMU have changed since (build/vm-green says
# what they were); not with "all".

set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
T=$(mktemp -d "${TMPDIR:-/tmp}/chalk-vmtest-XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$T"' EXIT
trap 'exit 130' INT TERM

PASSED=0
FAILED=0
SKIPPED=0
GREEN=$HERE/../../build/vm-green
WHY=

# check NAME CONDITION...: one test.
check() {
	local name=$1
	shift
	if [ -n "$WHY" ]; then
		echo "ok - $name # SKIP $WHY"
		SKIPPED=$((SKIPPED + 1))
	elif "$@"; then
		echo "ok - $name"
		PASSED=$((PASSED + 1))
	else
		echo "not ok - $name"
		FAILED=$((FAILED + 1))
	fi
}

# state: a hash of all that the skipped boots depend on.
state() {
	{
		(cd "$HERE" && git ls-files -co --exclude-standard -z | sort -z | xargs -0 sha256sum)
		for kernel in 6.1 6.12 debug; do
			"$HERE/kernel" $kernel
		done
		qemu-system-x86_64 --version
	} | sha256sum | cut -c 1-16
}

# unchanged: since when that state has been green, or nothing.
unchanged() {
	local was since
	[ ! -e "$GREEN" ] || read -r was since <"$GREEN"
	[ "${was-}" != "$STATE" ] || echo "unchanged since all passed on $since"
}

# vm NAME ARGUMENTS...: a run without chalk.ko; standard input is ours.
vm() {
	local name=$1 begin=$SECONDS
	shift
	"$HERE/run" --no-load --console "$T/$name.console" "$@" >"$T/$name.out" 2>"$T/$name.err"
	echo $? >"$T/$name.status"
	echo $((SECONDS - begin)) >"$T/$name.seconds"
}

# start COMMAND...: in the background, as soon as a place of two is free.
start() {
	while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
		wait -n
	done
	"$@" </dev/null &
}

status_is() {
	[ "$(cat "$T/$1.status")" = "$2" ] || { cat "$T/$1.err" && false; }
}

says() {
	grep -qE -- "$2" "$T/$1.err" || { cat "$T/$1.err" && false; }
}

contains() {
	grep -qE -- "$2" "$T/$1.out" || { cat "$T/$1.out" "$T/$1.err" && false; }
}

took_less() {
	[ "$(cat "$T/$1.seconds")" -lt "$2" ]
}

# complains RUN HOW PATTERN: in its console this is the first complaint after
# vmcrash.ko said that it breaks the kernel so.
complains() {
	python3 -B - "$HERE/host" "$T/$1.console" "$2" <<-'END' >"$T/complaint"
		import sys
		sys.path.insert(0, sys.argv[1])
		import verdict
		with open(sys.argv[2], "rb") as console:
		    log = console.read().replace(b"\r", b"")
		rest = log.partition(b"vmcrash: how=%s\n" % sys.argv[3].encode())[2]
		found = verdict.first_complaint(rest.partition(b"vmcrash: how=")[0])
		print(found[0].decode() if found else "no complaint")
	END
	grep -qE -- "$3" "$T/complaint" || { cat "$T/complaint" "$T/$1.err" && false; }
}

# build_crash KERNEL: vmcrash.ko in $T/KERNEL.
build_crash() {
	local KDIR
	eval "$("$HERE/kernel" "$1" | grep '^KDIR=')"
	mkdir "$T/$1"
	cp "$HERE"/crash/* "$T/$1/"
	make -s -C "$KDIR" M="$T/$1" modules >"$T/$1/log" 2>&1 ||
		cat "$T/$1/log"
}

# crash NAME KERNEL "HOW..." [OPTIONS...]: a run that breaks the kernel, in one
# way after the other.
crash() {
	local name=$1 kernel=$2 hows=$3
	shift 3
	# shellcheck disable=SC2016 # for the guest's shell
	vm "$name" --kernel "$kernel" --add "$T/$kernel/vmcrash.ko" "$@" -- sh -c \
		'module=$1; for how in $2; do rmmod vmcrash 2>/dev/null; insmod $module how=$how; done' \
		- "$T/$kernel/vmcrash.ko" "$hows"
}

# The long way through: input, output, files, more packages, time.
journey() {
	# shellcheck disable=SC2016 # for the guest's shell
	vm journey --packages "$(grep -v '^#' "$HERE/../net/packages" | paste -sd,)" \
		--add "$T/added file" --out "$T/back" -- \
		bash -c 'cp "$1" "$CHALK_OUT/copy" && pwd >"$CHALK_OUT/pwd" &&
			cat && echo complaint >&2 && sleep 3600 &&
			cut -d . -f 1 /proc/uptime >"$CHALK_OUT/uptime" &&
			tmux -V >/dev/null && exit 3' \
		- "$T/added file" <"$T/bytes"
}

# leave NAME: a run that leaves a process behind and dies.
leave() {
	# shellcheck disable=SC2016 # for the guest's shell
	vm "$1" -- sh -c 'sleep 1000000 & echo left; kill -9 $$'
}

few_boots() {
	# who makes the image says so
	"$HERE/rootfs" >/dev/null 2>&1
	build_crash 6.1
	start crash stock 6.1 "warn sleep oops"
	start journey
	start leave once
}

# silence: seconds that no boot is silent for on this host, as busy as it is: three
# times what a whole run has just taken.
silence() {
	echo $((3 * $(cat "$T/once.seconds") + 1))
}

other_boots() {
	build_crash debug
	start crash debug debug "lockdep kasan leak"
	start crash hang 6.1 hang
	start crash spin 6.1 spin --stall "$(silence)"
	start leave twice
	start vm other --kernel 6.12 --clock real --smp 2 -- sh -c \
		'uname -r; nproc; cat /proc/sys/kernel/watchdog_thresh \
			/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout'
	start vm late --timeout 1 -- true
}

# A run that stays up, to be interrupted.
interrupt() {
	local pid
	"$HERE/run" --no-load -- sh -c 'while :; do :; done' >/dev/null 2>&1 </dev/null &
	pid=$!
	while ! pgrep -P $pid qemu >/dev/null && kill -0 $pid; do
		sleep 0.2
	done
	pgrep -P $pid qemu >"$T/qemu.pid"
	kill -TERM $pid
	wait $pid
	echo $? >"$T/interrupt.status"
}

refusals() {
	local IMAGE
	eval "$("$HERE/kernel" 6.1 | grep '^IMAGE=')"
	vm option --nonsense -- true
	vm smp --smp 2 -- true
	vm terminal </dev/null
	vm absent --add "$T/absent" -- true
	"$HERE/run" --kernel "$IMAGE" -- true >"$T/module.out" 2>"$T/module.err"
	echo $? >"$T/module.status"
}

test_passing_through() {
	check "exit status 3 is passed on" status_is journey 3
	check "death by a signal is 128 + its number" status_is once 137
	check "a run adds nothing to standard error" [ ! -s "$T/once.err" ]
	check "5 MiB of all byte values pass unharmed" cmp "$T/bytes" "$T/journey.out"
	check "standard error is apart" says journey '^complaint$'
	check "--out brings files back, --add took them along" \
		cmp "$T/added file" "$T/back/copy"
	check "the command starts in the checkout" \
		[ "$(cat "$T/back/pwd")" = /chalk ]
	check "processes left behind do not hold the run" contains once '^left$'
	check "sleep 3600 takes 3600 s on the virtual clock" \
		[ "$(cat "$T/back/uptime")" -ge 3600 ]
	check "and not a tenth of it on the host's ($(cat "$T/journey.seconds") s)" \
		took_less journey 360
}

# Half of what makes a soft lockup, and RCU's limit.
is_patient() {
	[ "$(tail -n 2 "$T/other.out" | paste -sd,)" = 30,60 ]
}

test_other_clocks_and_kernels() {
	check "exit status 0 is passed on" status_is other 0
	check "two runs on the virtual clock are equal" \
		cmp "$T/once.console" "$T/twice.console"
	check "two processors on the real clock" contains other '^2$'
	check "there a lockup is one of 60 s" is_patient
	check "kernel 6.12 boots" contains other '^6\.12\.'
}

test_crash() {
	check "$1: the run fails" status_is "$1" 125
	check "$1: and says so" says "$1" "$2"
}

test_stock_crashes() {
	test_crash stock 'FAILED: the kernel complained: .*WARNING: .*vmcrash'
	check "a warning is a complaint" complains stock warn 'WARNING: .*vmcrash'
	check "sleeping with a lock is one" complains stock sleep 'scheduling while atomic'
	check "an oops is one" complains stock oops 'NULL pointer'
}

test_other_crashes() {
	test_crash hang 'FAILED: the kernel complained: .*blocked for more than'
	test_crash spin 'FAILED: nothing moved for [0-9]+ s \(--stall\)$'
	check "spin: the kernel had come up, and spun" \
		grep -q 'vmcrash: how=spin' "$T/spin.console"
	test_crash late 'FAILED: no end within 1 s \(--timeout\); the guest had not started'
	test_crash debug 'FAILED: the kernel complained: .*possible circular locking'
	check "lockdep's report is a complaint" \
		complains debug lockdep 'possible circular locking'
	check "KASAN's is one" complains debug kasan 'KASAN: slab-out-of-bounds'
	check "kmemleak's is one" complains debug leak 'kmemleak'
}

qemu_is_gone() {
	[ -s "$T/qemu.pid" ] && ! kill -0 "$(cat "$T/qemu.pid")" 2>/dev/null
}

test_interrupt() {
	check "a signal ends the run" status_is interrupt 143
	check "and its QEMU" qemu_is_gone
}

test_refusals() {
	check "an unknown option is named" says option 'unrecognized arguments: --nonsense'
	check "the virtual clock refuses a second processor" says smp '--smp needs --clock real'
	check "a shell without a terminal is refused" says terminal 'needs a terminal'
	check "--add of nothing is refused" says absent 'no such file'
	check "a missing chalk.ko says what to run" says module 'run: make module KERNEL='
	for name in option smp terminal absent module; do
		check "$name: status 126" status_is $name 126
	done
}

python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 20480)' >"$T/bytes"
echo "taken along" >"$T/added file"
STATE=$(state)
SINCE=$(unchanged)
[ "${1-}" != all ] || SINCE=
few_boots
wait
[ -n "$SINCE" ] || other_boots
wait
[ -n "$SINCE" ] || interrupt
refusals
test_passing_through
test_stock_crashes
test_refusals
WHY=${SINCE:+$SINCE (selftests/vm/test.sh all)}
test_other_clocks_and_kernels
test_other_crashes
test_interrupt
if [ $FAILED = 0 ] && [ $SKIPPED = 0 ]; then
	mkdir -p "${GREEN%/*}"
	echo "$STATE $(date +%F)" >"$GREEN"
fi
[ $SKIPPED = 0 ] || TAIL=", $SKIPPED skipped"
echo "$PASSED passed, $FAILED failed${TAIL-}"
[ $FAILED = 0 ]
