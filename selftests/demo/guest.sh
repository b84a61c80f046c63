#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh - the part of the demo that runs in the lab VM.
#
# Usage: guest.sh FILE
#
# A file goes from alice to bob, over the link that selftests/demo/network makes.
#
# Leaves trace.tsv, capture.pcap, the copy's hash, and how long all took (as in
# /proc/uptime) in $CHALK_OUT.

set -euo pipefail

RATE=10mbit
DELAY=20ms
LOSS=1%
QUEUE=400
PORT=2530
MSL_TWICE=60

DEBUGFS=/sys/kernel/debug/chalk

FILE=$1
COPY=$CHALK_OUT/copy
TRACE=$CHALK_OUT/trace.tsv
CAPTURE=$CHALK_OUT/capture.pcap

say() {
	printf '%s\n' "$@"
}

on() {
	ip netns exec "$@"
}

# quiet COMMAND...: its output only if it fails.
quiet() {
	local output
	output=$("$@" 2>&1) || {
		say "guest.sh: $* failed:" "$output" >&2
		return 1
	}
}

# wait_for FILE: until something has been written to it.
wait_for() {
	local tries=100
	until [ -s "$1" ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || {
			say "guest.sh: nothing came into ${1##*/}" >&2
			return 1
		}
		sleep 0.1
	done
}

start_watching() {
	chalk trace --out "$TRACE" &
	TRACER=$!
	ip netns exec alice tcpdump -i eth0 -w "$CAPTURE" -U -B 8192 'ip proto 253' \
		2>"$CHALK_OUT/tcpdump.log" &
	SNIFFER=$!
	wait_for "$TRACE"
	wait_for "$CAPTURE"
}

stop_watching() {
	kill "$TRACER" "$SNIFFER"
	wait "$TRACER" "$SNIFFER" || true
}

transfer() {
	(on bob bulk --progress 1M listen $PORT "$COPY" 2>&1 |
		sed -u 's/^/   /') &
	RECEIVER=$!
	until grep -q LISTEN $DEBUGFS/conns; do
		sleep 0.1
	done
	quiet on alice bulk connect 10.0.2.2 $PORT /dev/null "$FILE"
	wait $RECEIVER
}

# wait_for_the_end: until there is no connection any more, but not for ever.
wait_for_the_end() {
	local tries=$((2 * MSL_TWICE))
	while grep -q TIME_WAIT $DEBUGFS/conns && [ $tries -gt 0 ]; do
		tries=$((tries - 1))
		sleep 1
	done
}

# objects: how many objects are in the slab caches of chalk.ko.
objects() {
	awk 'tolower($1) ~ /chalk/ { n += $2 } END { print n + 0 }' /proc/slabinfo
}

unload() {
	local left
	ip netns del alice
	ip netns del bob
	ip netns del badlink
	say '   # rmmod chalk'
	rmmod chalk
	left=$(objects)
	if dmesg | grep -qi 'objects remaining\|still has objects'; then
		say "   chalk.ko left objects behind"
		return 1
	fi
	say "   chalk.ko is gone; $left slab objects left"
	[ "$left" = 0 ]
}

say '2. The network' '' \
	'       alice  ------  a bad link  ------  bob' \
	'     10.0.1.2                            10.0.2.2' '' \
	'   Two network namespaces, joined by veth pairs through a third one, a router' \
	"   that plays the link. Each way it carries ${RATE%mbit} Mbit/s, takes ${DELAY%ms} ms and loses" \
	"   ${LOSS%?} % of the packets. It does not tell the sender which."
"${0%/*}/network" $RATE $DELAY $LOSS $QUEUE
start_watching

say '' "3. alice sends a file to bob over Chalk: ${FILE##*/}, $(stat -c %s "$FILE") bytes" ''
transfer

say '' '4. Did all of it arrive?' ''
(cd "${FILE%/*}" && on alice sha256sum "${FILE##*/}") |
	tee "$CHALK_OUT/sha256" | sed 's/^/   alice  /'
(cd "$CHALK_OUT" && on bob sha256sum copy) | sed 's/^/   bob    /'
cmp "$FILE" "$COPY"
rm "$COPY"

say '' '5. The end' '' \
	"   alice closed first, so she stays in TIME_WAIT for $MSL_TWICE s. The clock of this" \
	'   machine is a virtual one: waiting costs no time. Then the module goes:' ''
wait_for_the_end
stop_watching
unload
cat /proc/uptime >"$CHALK_OUT/uptime"
