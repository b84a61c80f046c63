#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh - the part of the demo that runs in the lab VM.
#
# Usage: guest.sh FILE
#
#      alice             badlink              bob
#      eth0 ---- toalice         tobob ---- eth0
#   10.0.1.2      10.0.1.1      10.0.2.1     10.0.2.2
#
# Three network namespaces. The one in the middle forwards packets; netem on its
# two interfaces makes the link slow, long and lossy. It stands there and not on
# a host's own interface, since Linux tells a sender what its own queue drops,
# and a real link does not.
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

# make_host NAME NET: a host 10.0.NET.2 on the link, which is 10.0.NET.1 there.
# Neighbours are written down, so that no ARP packet gets lost on the link.
make_host() {
	local name=$1 net=$2 dev=to$1
	ip netns add "$name"
	ip link add "$dev" netns badlink address "02:00:00:00:0$net:01" \
		type veth peer name eth0 netns "$name" \
		address "02:00:00:00:0$net:02"
	ip -n badlink addr add "10.0.$net.1/24" dev "$dev"
	ip -n "$name" addr add "10.0.$net.2/24" dev eth0
	# What a card would do for the system later, or for many packets at
	# once, is off: the capture then shows the packets of the wire.
	quiet on badlink ethtool -K "$dev" tx off tso off gso off gro off
	quiet on "$name" ethtool -K eth0 tx off tso off gso off gro off
	ip -n badlink link set "$dev" up
	ip -n "$name" link set eth0 up
	ip -n "$name" route add default via "10.0.$net.1"
	ip -n "$name" neigh replace "10.0.$net.1" dev eth0 nud permanent \
		lladdr "02:00:00:00:0$net:01"
	ip -n badlink neigh replace "10.0.$net.2" dev "$dev" nud permanent \
		lladdr "02:00:00:00:0$net:02"
	on badlink tc qdisc add dev "$dev" root netem \
		rate $RATE delay $DELAY loss $LOSS limit $QUEUE
}

make_network() {
	ip netns add badlink
	on badlink sysctl -q -w net.ipv4.ip_forward=1
	make_host alice 1
	make_host bob 2
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
make_network
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
