#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test.sh - run the demo and check all that it promises
#
# Ends with "N passed, N failed".

set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
OUT=out/demo
# Seconds for which the guest's processor is busy, by its own clock, which counts
# instructions: what the demo costs, whatever else the host does. 5.1 is measured.
LIMIT=5.8
SHOWN=$(mktemp)
trap 'rm -f "$SHOWN"' EXIT
passed=0 failed=0

check() {
	local what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		echo "ok - $what"
	else
		failed=$((failed + 1))
		echo "not ok - $what"
	fi
}

shows() {
	grep -qE -- "$1" "$SHOWN"
}

is_cheap() {
	[ -n "$busy" ] && [ "${busy/./}" -le "${LIMIT/./}" ]
}

hashes_agree() {
	[ "$(grep -oE '^   (alice|bob) +[0-9a-f]{64}' "$SHOWN" |
		awk '{ print $2 }' | uniq -c | awk '{ print $1 }')" = 2 ]
}

begins_with() {
	head -c 100 "$OUT/$1" | grep -qa "$2"
}

# packets FILTER: how many packets of the capture are such to tshark.
packets() {
	tshark -r $OUT/capture.pcap -d ip.proto==253,tcp -Y "$1" 2>/dev/null | wc -l
}

# The capture holds what alice sent, and what reached her.
capture_is_complete() {
	local traced
	# a drop that belongs to a connection has its recv too
	traced=$(awk -F '\t' '$3 ~ /^10\.0\.1\.2:/ &&
		($5 ~ /^(send|rtx|recv)$/ || ($5 == "drop" && !$2))' \
		$OUT/trace.tsv | wc -l)
	[ "$(packets tcp)" -gt 5000 ] && [ "$(packets tcp)" = "$traced" ]
}

trace_is_complete() {
	! grep -q '^# lost' $OUT/trace.tsv
}

begin=$SECONDS
selftests/demo/demo >"$SHOWN" 2>&1
status=$?
seconds=$((SECONDS - begin))
busy=$(awk '{ printf "%.1f", $1 - $2 }' $OUT/uptime)
cat "$SHOWN"

check "the demo succeeds" [ $status = 0 ]
check "the guest is busy for at most $LIMIT s ($busy; on this host all took $seconds)" is_cheap
check "both ends have the same SHA-256" hashes_agree
check "the progress is shown" shows '8\.0 MiB after'
check "the handshake is drawn" shows 'SYN_SENT .* SYN seq=0 '
check "its second segment is drawn" shows ' SYN\+ACK seq=0 ack=1 '
check "the server's states are there" shows '(▶ SYN_RCVD|▶ ESTABLISHED)'
check "the teardown is drawn" shows 'FIN_WAIT_1 .* FIN\+ACK '
check "the server's FIN is drawn" shows '◀.* FIN\+ACK .* LAST_ACK'
check "TIME_WAIT ends in CLOSED" shows 'CLOSED .*TIME_WAIT of 2 MSL'
check "segments are counted" shows 'sent +[0-9],[0-9]{3} segments, 8,388,608 bytes'
check "retransmissions are counted" shows 'sent again +[1-9]'
check "the goodput is given" shows 'goodput +[0-9.]+ Mbit/s'
check "the module is gone and left nothing" shows 'gone; 0 slab objects left'
check "there is a picture, PNG" begins_with cwnd.png PNG
check "there is a picture, SVG" begins_with cwnd.svg '<svg'
check "there is a report" begins_with report.html '<!DOCTYPE html>'
check "the trace lacks nothing" trace_is_complete
check "all checksums are good" python3 selftests/demo/checksums.py $OUT/capture.pcap
check "tshark reads each packet of the trace" capture_is_complete

echo "$passed passed, $failed failed"
[ $failed = 0 ]
