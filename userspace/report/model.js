// SPDX-License-Identifier: GPL-2.0
// model.js - what the records of a connection mean: losses and their repair,
// phases of congestion control, segments on their way, the path of states.
// Owns the findings; nothing here draws.
import { SEQUENCE_SPACE, lastBefore } from "./data.js";

export const THIRD = "third duplicate ACK";
export const TIMEOUT = "retransmission timeout";
// What ends a recovery: NewReno's, Reno's.
const DONE = ["recovery done", "window deflated"];
export const GO_BACK = "resend after the timeout";
export const LOSS_GO_BACK = "resend after the loss";
const HALF = SEQUENCE_SPACE / 2;
// What ssthresh is before the first loss.
export const UNSET = 0x7fffffff;

const after = (a, b) => (a - b + SEQUENCE_SPACE) % SEQUENCE_SPACE;
export const atOrAfter = (a, b) => after(a, b) < HALF;

export function isWindow(conn, i) {
	const event = conn.event(i);
	return event === "cwnd" || event === "ssthresh";
}

// A record in which the sender takes the network for congested.
export function isReaction(conn, i) {
	const cause = conn.cause(i);
	return isWindow(conn, i) && (cause === THIRD || cause === TIMEOUT);
}

// Sequence numbers that a segment takes: its bytes, and one for SYN and FIN.
function extent(conn, i) {
	const flags = conn.flags(i);
	return conn.col.len[i] + flags.includes("S") + flags.includes("F");
}

// A finding about an end that is made once, and then known.
function once(find) {
	const known = new WeakMap();
	return (conn, end) => {
		if (!known.has(conn))
			known.set(conn, []);
		return known.get(conn)[end] ??= find(conn, end);
	};
}

// The reactions of an end, one for each instant: its first record, the windows
// before, and after all records of the instant. A fast retransmission is one
// too if its loss left both windows as they were: nothing changed since the ACK
// that led to it.
export const reactions = once((conn, end) => {
	const found = [];
	let changed = false;
	for (const i of conn.own[end]) {
		if (conn.event(i) === "recv")
			changed = false;
		const reacts = isReaction(conn, i);
		changed ||= reacts;
		if (!reacts && (changed || conn.event(i) !== "rtx" || conn.cause(i) !== THIRD))
			continue;
		const last = found[found.length - 1];
		if (last && conn.time[last.record] === conn.time[i]) {
			last.cwnd = conn.col.cwnd[i];
			last.ssthresh = conn.col.ssthresh[i];
			continue;
		}
		const before = conn.prev[i];
		found.push({
			record: i, cause: conn.cause(i), time: conn.time[i],
			from: before < 0 ? 0 : conn.col.cwnd[before],
			flight: before < 0 ? 0 : conn.col.flight[before],
			cwnd: conn.col.cwnd[i], ssthresh: conn.col.ssthresh[i],
		});
	}
	return found;
});

// What an end lost on the way and that mattered: data, SYN or FIN; with the
// record that sent it again, and the one by which it was acknowledged.
export const losses = once((conn, end) => {
	const found = [];
	const open = new Open(), unsent = new Open();
	const count = counter(conn.ends[end].isn);
	for (const i of conn.own[end]) {
		const una = count(conn.col.snd_una[i], true);
		const seq = count(conn.col.seq[i]);
		if (conn.event(i) === "rtx")
			for (const story of unsent.take(seq, seq + Math.max(extent(conn, i), 1)))
				Object.assign(story, { again: i, cause: conn.cause(i) });
		for (const story of open.takeDone(una))
			story.repaired = i;
		unsent.takeDone(una);
		if (!conn.isLost(i) || !extent(conn, i))
			continue;
		const story = { lost: i, time: conn.time[i], again: -1, repaired: -1, cause: "",
			begin: seq, end: seq + extent(conn, i) };
		found.push(story);
		open.add(story);
		unsent.add(story);
	}
	return found;
});

// Sequence numbers as a count that goes on where they wrap; a number that is
// settled moves the place from which others are counted.
function counter(base) {
	let place = 0;
	return (number, settled = false) => {
		const step = (number - base + HALF + SEQUENCE_SPACE) % SEQUENCE_SPACE - HALF;
		if (!settled || step < 0)
			return place + step;
		base = number;
		return place += step;
	};
}

// Losses by the number they begin with.
class Open {
	constructor() {
		this.stories = [];
	}

	// The place of the first that begins there or later.
	at(seq) {
		return lastBefore(this.stories, (s) => s.begin, seq - 0.5) + 1;
	}

	add(story) {
		this.stories.splice(this.at(story.begin + 1), 0, story);
	}

	// Those that begin in a range.
	take(from, to) {
		const at = this.at(from);
		return this.stories.splice(at, this.at(to) - at);
	}

	// Those that end by then.
	takeDone(una) {
		if (!this.stories.length || this.stories[0].begin >= una)
			return [];
		const early = this.take(-Infinity, una);
		const left = early.filter((s) => s.end > una);
		this.stories.unshift(...left);
		return left.length ? early.filter((s) => s.end <= una) : early;
	}
}

// Stretches of time in which congestion control does one thing.
export function phases(conn, end) {
	const found = [];
	let phase = "", since = 0;
	for (const i of conn.own[end]) {
		const next = nextPhase(conn, i, phase);
		if (next === phase)
			continue;
		if (phase && conn.time[i] > since)
			found.push({ phase, from: since, to: conn.time[i] });
		[phase, since] = [next, conn.time[i]];
	}
	if (phase)
		found.push({ phase, from: since, to: conn.last });
	return found;
}

function nextPhase(conn, i, phase) {
	if (!conn.col.cwnd[i])
		return phase;
	const changes = isWindow(conn, i);
	const cause = conn.cause(i);
	if (cause === THIRD)
		return "recovery";
	if (phase === "recovery" && !(changes && (DONE.includes(cause) || cause === TIMEOUT)))
		return phase;
	return conn.col.cwnd[i] < conn.col.ssthresh[i] ? "slow_start" : "avoidance";
}

// A column of an end over time; what is not there yet is null.
export function series(conn, end, name) {
	return conn.own[end].map((i) => {
		const value = conn.col[name][i];
		if (name === "ssthresh" && value >= UNSET)
			return null;
		return conn.col.cwnd[i] || name === "snd_wnd" ? value || null : null;
	});
}

// Segments between the ends in the order in which they left; -1: no record.
export function flights(conn) {
	const found = [];
	for (let i = 0; i < conn.rows; i++) {
		if (!conn.isSegment(i))
			continue;
		const mate = conn.mate(i);
		if (conn.isSent(i))
			found.push({ from: conn.end(i), sent: i, arrived: mate });
		else if (mate < 0 && !conn.both && !isRepeated(conn, i))
			found.push({ from: 1 - conn.end(i), sent: -1, arrived: i });
	}
	return found;
}

// Segments that tell the story of what was lost: those that were, their
// repetitions, the ACKs by which the sender noticed and by which it was mended;
// and the beginning and the end of the connection: all that moves its states.
export function essential(conn) {
	const found = new Set();
	const add = (i) => {
		for (const k of i < 0 ? [] : [i, conn.mate(i)])
			if (k >= 0)
				found.add(k);
	};
	for (let i = 0; i < conn.rows; i++)
		if (conn.isSegment(i) && (conn.event(i) === "rtx" || conn.event(i) === "drop" ||
		    /[SFR]/.test(conn.flags(i)) || conn.isLost(i) && extent(conn, i)))
			add(i);
	for (const end of [0, 1]) {
		const own = conn.own[end];
		own.filter((i) => conn.isSent(i) && conn.col.len[i]).slice(0, 3).forEach(add);
		path(conn, end).forEach((i) => add(arrivalBy(conn, own, i)));
		add(thirdOfHandshake(conn, own));
		for (const { record, cause } of reactions(conn, end))
			if (cause === THIRD)
				duplicates(conn, own, record).forEach(add);
		for (const { repaired } of losses(conn, end))
			add(arrivalBy(conn, own, repaired));
	}
	return found;
}

// What the end that opened the connection sent after its SYN, also if it was
// lost and the data behind it did its work. Simultaneous opens have none.
function thirdOfHandshake(conn, own) {
	const sent = own.filter((i) => conn.isSent(i));
	const opens = sent.length && /^[^A]*S[^A]*$/.test(conn.flags(sent[0]));
	return opens ? sent.find((i) => !conn.flags(i).includes("S")) ?? -1 : -1;
}

// The three arrivals up to a record that acknowledge what snd_una stands at.
function duplicates(conn, own, record) {
	const found = [];
	const una = conn.col.snd_una[record];
	for (let k = lastBefore(own, (i) => i, record); k >= 0 && found.length < 3; k--) {
		const i = own[k];
		if (conn.event(i) === "recv" && !conn.col.len[i] && conn.col.ack[i] === una)
			found.push(i);
		if (conn.col.snd_una[i] !== una)
			break;
	}
	return found;
}

// The segment whose arrival led to a record.
export function arrivalBy(conn, own, record) {
	for (let k = lastBefore(own, (i) => i, record); k >= 0; k--) {
		if (conn.time[own[k]] !== conn.time[record])
			return -1;
		if (conn.event(own[k]) === "recv")
			return own[k];
	}
	return -1;
}

// What is dropped has a record of its arrival too.
function isRepeated(conn, i) {
	const next = i + 1;
	return conn.event(i) === "recv" && next < conn.rows &&
		conn.event(next) === "drop" && conn.time[next] === conn.time[i] &&
		conn.col.seq[next] === conn.col.seq[i];
}

// One number more is a SYN at the beginning and a FIN in other states.
const SENDING = new Set(["ESTABLISHED", "CLOSE_WAIT"]);

// Payload of an end a second, in equal stretches of a range of time.
export function throughput(conn, end, [from, to], count) {
	const width = (to - from) / count;
	const sent = new Array(count).fill(0), acked = new Array(count).fill(0);
	let una = null;
	for (const i of conn.own[end]) {
		const now = conn.col.snd_una[i];
		let step = 0;
		if (una !== null && atOrAfter(now, una))
			step = after(now, una);
		if (una === null || step)
			una = now;
		const k = Math.floor((conn.time[i] - from) / width);
		if (k < 0 || k >= count)
			continue;
		const dull = step === 1 &&
			(conn.relative(now, end) === 1 || !SENDING.has(conn.state(i)));
		acked[k] += dull ? 0 : step;
		if (conn.isSent(i))
			sent[k] += conn.col.len[i];
	}
	const rate = (bytes) => bytes * 8 / width;
	return {
		times: sent.map((_, k) => from + k * width),
		sent: sent.map(rate), acked: acked.map(rate),
	};
}

// The changes of state of an end.
export function path(conn, end) {
	return conn.own[end].filter((i) => conn.event(i) === "state");
}

// The record in which a FIN left an end for the first time, or -1: after
// close() it waits behind the data that is still to be sent.
export function finOf(conn, end) {
	return conn.own[end].find((i) => conn.isSent(i) && conn.flags(i).includes("F")) ?? -1;
}

// Kinds of events by which the list is filtered; the first that fits.
export const KINDS = ["loss", "state", "window", "segment", "rtt", "timer", "flow"];

export function kindOf(conn, i) {
	const event = conn.event(i);
	if (event === "rtx" || event === "drop" || conn.isLost(i) || isReaction(conn, i) ||
	    isTimeout(conn, i) || isWindow(conn, i) && DONE.includes(conn.cause(i)))
		return "loss";
	if (event === "state")
		return "state";
	if (isWindow(conn, i) || event === "hystart")
		return "window";
	if (conn.isSegment(i))
		return "segment";
	if (event.startsWith("rtt") || event === "rto")
		return "rtt";
	return event.startsWith("timer") ? "timer" : "flow";
}

export function isTimeout(conn, i) {
	return conn.event(i) === "timer_fired" && conn.cause(i) === "retransmission timer";
}

// The record of an end that is nearest to a time.
export function nearest(conn, list, time) {
	const k = lastBefore(list, (i) => conn.time[i], time);
	if (k < 0)
		return list[0];
	if (k + 1 < list.length &&
	    conn.time[list[k + 1]] - time < time - conn.time[list[k]])
		return list[k + 1];
	return list[k];
}
