// SPDX-License-Identifier: GPL-2.0
// data.js - the trace as it comes in the page: chalk_report.py packed it.
// Owns the unpacking, and Conn: the records of a connection by columns.

export async function inflate(base64) {
	const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
	const stream = new Blob([bytes]).stream()
		.pipeThrough(new DecompressionStream("deflate"));
	return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Signed numbers of variable length, one after the other. Bits are counted by
// multiplication: differences of sequence numbers need more than 32 of them.
function reader(bytes) {
	let at = 0;
	return () => {
		let value = 0, unit = 1, byte;
		do {
			byte = bytes[at++];
			value += (byte & 127) * unit;
			unit *= 128;
		} while (byte > 127);
		return value % 2 ? -(value + 1) / 2 : value / 2;
	};
}

export function columns(bytes, names, rows) {
	const next = reader(bytes);
	const made = {};
	const starts = [];
	for (const name of names) {
		starts.push([name, made[name] = new Float64Array(rows)]);
		for (let i = 0; i < rows; i++)
			made[name][i] = next();
	}
	for (const [name, column] of starts)
		if (name !== "end")
			sumUp(column, made.end);
	return made;
}

function sumUp(column, ends) {
	const before = [0, 0];
	for (let i = 0; i < column.length; i++)
		column[i] = before[ends[i]] += column[i];
}

export const SEQUENCE_SPACE = 2 ** 32;

// A connection: records are numbers 0 ... rows - 1, in the order of the trace.
export class Conn {
	constructor(data, pair, bytes) {
		this.data = data;
		this.ends = pair.ends;
		this.leftOut = pair.left_out;
		this.rows = pair.rows;
		this.col = columns(bytes, data.columns, pair.rows);
		this.time = this.col.time.map((us) => us / 1e6);
		this.both = pair.ends.every((end) => end.traced);
		this.own = [0, 1].map((e) => this.filter((i) => this.col.end[i] === e));
		this.prev = new Int32Array(this.rows).fill(-1);
		for (const list of this.own)
			list.forEach((i, k) => { this.prev[i] = k ? list[k - 1] : -1; });
		const segments = this.filter((i) => this.isSegment(i));
		this.last = segments.length ? this.time[segments[segments.length - 1]]
			: this.time[this.rows - 1];
		this.last = Math.max(this.last, 1e-6);
	}

	filter(test) {
		const found = [];
		for (let i = 0; i < this.rows; i++)
			if (test(i))
				found.push(i);
		return found;
	}

	get(name, i) { return this.col[name] ? this.col[name][i] : 0; }
	end(i) { return this.col.end[i]; }
	event(i) { return this.data.events[this.col.event[i]]; }
	cause(i) { return this.data.causes[this.col.cause[i]][0]; }
	clause(i) { return this.data.causes[this.col.cause[i]][1]; }
	state(i) { return this.data.states[this.col.state[i]]; }
	flags(i) { return this.data.flags[this.col.flags[i]]; }
	isSent(i) { const e = this.event(i); return e === "send" || e === "rtx"; }
	isSegment(i) {
		const e = this.event(i);
		return e === "send" || e === "rtx" || e === "recv" || e === "drop";
	}
	mate(i) { return this.col.mate[i] ? i + this.col.mate[i] : -1; }
	isLost(i) { return this.both && this.isSent(i) && !this.col.mate[i]; }
	// old or new: a state has its name.
	change(which, i) {
		const value = this.col[which][i];
		return this.event(i) === "state" ? this.data.states[value] : value;
	}

	// A sequence number of an end, counted from its SYN.
	relative(seq, end) {
		return (seq - this.ends[end].isn + 2 * SEQUENCE_SPACE) % SEQUENCE_SPACE;
	}
	// Of the segment in record i: the end that it comes from.
	source(i) { return this.isSent(i) ? this.end(i) : 1 - this.end(i); }
	seq(i) { return this.relative(this.col.seq[i], this.source(i)); }
	ack(i) { return this.relative(this.col.ack[i], 1 - this.source(i)); }

	name(end) {
		const local = this.ends[end].local;
		return this.data.names[local] || this.data.names[host(local)] || local;
	}
}

export function host(endpoint) {
	return endpoint.slice(0, endpoint.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

// The last of a sorted list's indexes whose value is not above x, or -1.
export function lastBefore(list, value, x) {
	let low = 0, high = list.length;
	while (low < high) {
		const mid = (low + high) >> 1;
		if (value(list[mid]) <= x)
			low = mid + 1;
		else
			high = mid;
	}
	return low - 1;
}
