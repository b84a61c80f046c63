# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# lib.sh - what the VM's shell scripts share: the cache, messages, downloads.
#
# The cache lives outside the checkout.  An entry is built in a directory of
# its own beside its final place and renamed when complete, under a lock for
# each entry, so that callers may run at the same time and be killed at will.

PATH=$PATH:/usr/sbin:/sbin
CACHE=${CHALK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/chalk}

step() {
	echo "${0##*/}: $*" >&2
}

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# need PROGRAM...: stop unless every program is there.
need() {
	local p missing=
	for p; do
		command -v "$p" >/dev/null || missing+=" $p"
	done
	[ -z "$missing" ] ||
		die "missing program(s):$missing; run: make setup"
}

# hash_of: a short name for what comes on stdin.
hash_of() {
	sha256sum | cut -c1-12
}

# with_lock NAME COMMAND...: one at a time across processes.
with_lock() {
	mkdir -p "$CACHE/locks"
	local name=$1 fd
	shift
	exec {fd}>"$CACHE/locks/$name"
	if ! flock -n "$fd"; then
		step "waiting for another process that makes $name"
		flock "$fd"
	fi
	"$@" {fd}>&-
	exec {fd}>&-
}

# scratch: a directory that disappears when the script ends, on the file
# system of the cache so that its contents can be renamed into place.
scratch() {
	mkdir -p "$CACHE"
	WORK=$(mktemp -d "$CACHE/.work.XXXXXX")
	trap 'rm -rf "$WORK"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# fetch DIRECTORY PACKAGE...: download packages and unpack them there;
# nothing is installed.
fetch() {
	local dir=$1 deb
	shift
	mkdir -p "$WORK/deb" "$dir"
	(cd "$WORK/deb" && apt-get -qq -o APT::Sandbox::User="$(id -un)" \
		download "$@" >&2) ||
		die "cannot download $*; try: apt-get update"
	for deb in "$WORK"/deb/*.deb; do
		dpkg-deb -x "$deb" "$dir" || die "cannot unpack $deb"
		rm "$deb"
	done
}
