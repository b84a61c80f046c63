#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test.sh - tests of the lab VM itself.
#
# Usage: test.sh
#
# First all boots, two at a time, each leaving NAME.out, .err, .status and
# .seconds; then the assertions on what they left.  Nothing needs chalk.ko:
# crash/vmcrash.c breaks the kernel on request.

set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
T=$(mktemp -d "${TMPDIR:-/tmp}/chalk-vmtest-XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$T"' EXIT
trap 'exit 130' INT TERM

PASSED=0
FAILED=0

# check NAME CONDITION...: one test.
check() {
	local name=$1
	shift
	if "$@"; then
		echo "ok - $name"
		PASSED=$((PASSED + 1))
	else
		echo "not ok - $name"
		FAILED=$((FAILED + 1))
	fi
}

# vm NAME ARGUMENTS...: a run without chalk.ko; standard input is ours.
vm() {
	local name=$1 begin=$SECONDS
	shift
	"$HERE/run" --no-load "$@" >"$T/$name.out" 2>"$T/$name.err"
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

# build_crash KERNEL: vmcrash.ko in $T/KERNEL.
build_crash() {
	local KDIR
	eval "$("$HERE/kernel" "$1" | grep '^KDIR=')"
	mkdir "$T/$1"
	cp "$HERE"/crash/* "$T/$1/"
	make -s -C "$KDIR" M="$T/$1" modules >"$T/$1/log" 2>&1 ||
		cat "$T/$1/log"
}

# crash KERNEL HOW [OPTIONS...]: a run named HOW that breaks the kernel.
crash() {
	local kernel=$1 how=$2
	shift 2
	vm "$how" --kernel "$kernel" --add "$T/$kernel/vmcrash.ko" "$@" -- \
		insmod "$T/$kernel/vmcrash.ko" "how=$how"
}

# The long way through: input, output, files, time.
journey() {
	# shellcheck disable=SC2016 # for the guest's shell
	vm journey --packages tree --add "$T/added file" --out "$T/back" -- \
		bash -c 'cp "$1" "$CHALK_OUT/copy" && pwd >"$CHALK_OUT/pwd" &&
			cat && echo complaint >&2 && sleep 3600 &&
			tree --version >/dev/null && exit 3' \
		- "$T/added file" <"$T/bytes"
}

boots() {
	build_crash 6.1
	build_crash debug
	"$HERE/rootfs" tree >/dev/null
	start crash debug kasan
	start crash debug lockdep
	start crash debug leak
	start journey
	# shellcheck disable=SC2016 # for the guest's shell
	start vm signal -- sh -c 'kill -9 $$'
	start vm once --console "$T/console1" -- true
	start vm twice --console "$T/console2" -- true
	start vm real --clock real --smp 2 -- nproc
	start vm newer --kernel 6.12 -- uname -r
	start vm leftover -- sh -c 'sleep 1000000 & echo left'
	start crash 6.1 warn
	start crash 6.1 oops
	start crash 6.1 sleep
	start crash 6.1 hang
	start crash 6.1 spin --timeout 15
	wait
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
	check "exit status 0 is passed on" status_is once 0
	check "exit status 3 is passed on" status_is journey 3
	check "death by a signal is 128 + its number" status_is signal 137
	check "a run adds nothing to standard error" [ ! -s "$T/once.err" ]
	check "5 MiB of all byte values pass unharmed" cmp "$T/bytes" "$T/journey.out"
	check "standard error is apart" says journey '^complaint$'
	check "--out brings files back, --add took them along" \
		cmp "$T/added file" "$T/back/copy"
	check "the command starts in the checkout" \
		[ "$(cat "$T/back/pwd")" = /chalk ]
	check "processes left behind do not hold the run" contains leftover '^left$'
}

test_clocks_and_kernels() {
	check "sleep 3600 takes no time on the virtual clock" took_less journey 120
	check "two runs on the virtual clock are equal" \
		cmp "$T/console1" "$T/console2"
	check "two processors on the real clock" contains real '^2$'
	check "kernel 6.12 boots" contains newer '^6\.12\.'
}

test_crash() {
	check "$1: the run fails" status_is "$1" 125
	check "$1: and says so" says "$1" "$2"
}

test_crashes() {
	test_crash warn 'FAILED: the kernel complained: .*WARNING: .*vmcrash'
	test_crash oops 'FAILED: the kernel complained: .*NULL pointer'
	test_crash sleep 'FAILED: the kernel complained: .*scheduling while atomic'
	test_crash hang 'FAILED: the kernel complained: .*blocked for more than'
	test_crash spin 'FAILED: no end within 15 s'
	test_crash kasan 'FAILED: the kernel complained: .*KASAN: slab-out-of-bounds'
	test_crash lockdep 'FAILED: the kernel complained: .*possible circular locking'
	test_crash leak 'FAILED: the kernel complained: .*(kmemleak|unreferenced object)'
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
	check "a signal ends the run" status_is interrupt 143
	check "and its QEMU" sh -c "[ -s $T/qemu.pid ] && ! kill -0 $(cat "$T/qemu.pid") 2>/dev/null"
}

python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 20480)' >"$T/bytes"
echo "taken along" >"$T/added file"
boots
interrupt
refusals
test_passing_through
test_clocks_and_kernels
test_crashes
test_refusals
echo "$PASSED passed, $FAILED failed"
[ $FAILED = 0 ]
