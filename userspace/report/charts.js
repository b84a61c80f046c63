// SPDX-License-Identifier: GPL-2.0
// charts.js - the four charts of one end, with one axis of time. Owns what is
// drawn in each.
import { Chart, highest, line } from "./chart.js";
import { SIGNS, color, signs } from "./marks.js";
import { THIRD, isTimeout, losses, phases, reactions, series, throughput } from "./model.js";
import { bytes, count, duration, rate, t } from "./words.js";

const BUCKETS = 100;
const RARE = 0.04;
// How low charts may be on paper.
const LOWEST = 0.4;

const lostLine = () => line("lost", "lost", null, { sign: SIGNS.lost, kind: "sign" });
const thirdLine = () => line("third", "third", null, { sign: SIGNS.third, kind: "sign" });
const timeoutLine = () => line("timeout", "timeout", null, { sign: SIGNS.timeout, kind: "sign" });
const againLine = () => line("again", "again", null, { sign: SIGNS.again, kind: "sign" });
const shade = (word, name) => line(word, name, null, { shade: true, kind: "shade" });

// What cwnd and flight stay below for all but a little of the time in a range.
function usual([times, flight, cwnd], [from, to]) {
	const spells = [];
	for (let i = 0; i < times.length; i++) {
		const end = Math.min(times[i + 1] ?? to, to);
		const length = end - Math.max(times[i], from);
		if (length > 0)
			spells.push([Math.max(cwnd[i], flight[i]), length]);
	}
	spells.sort((a, b) => b[0] - a[0]);
	let left = (to - from) * RARE;
	return (spells.find((spell) => (left -= spell[1]) < 0) ?? [0])[0];
}

// The text in lines that are no wider than that.
function wrapped(ctx, text, width) {
	const lines = [""];
	for (const word of text.split(/(?<=[ ：，])/)) {
		const last = lines.length - 1;
		if (lines[last] && ctx.measureText(lines[last] + word.trimEnd()).width > width)
			lines.push(word);
		else
			lines[last] += word;
	}
	return lines.map((line) => line.trimEnd());
}

function label(u, text) {
	const { ctx, bbox } = u;
	ctx.save();
	ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
	ctx.fillStyle = color("cwnd");
	ctx.textAlign = "right";
	ctx.strokeStyle = color("paper");
	ctx.lineWidth = 4 * devicePixelRatio;
	ctx.setLineDash([]);
	const [x, y] = [bbox.left + bbox.width - 6 * devicePixelRatio, bbox.top + 24 * devicePixelRatio];
	const lines = wrapped(ctx, text, bbox.width - 12 * devicePixelRatio);
	lines.forEach((line, k) => {
		ctx.strokeText(line, x, y + k * 15 * devicePixelRatio);
		ctx.fillText(line, x, y + k * 15 * devicePixelRatio);
	});
	const wide = Math.max(...lines.map((line) => ctx.measureText(line).width));
	ctx.restore();
	return wide / devicePixelRatio;
}

// cwnd, ssthresh, in flight, and what the sender took for loss.
class Windows extends Chart {
	constructor(app, place) {
		super(app, place, "windows", 250, [
			line("flight", "flight", bytes, { fill: "flight-fill", width: 1 }),
			line("cwnd", "cwnd", bytes, { width: 2 }),
			line("ssthresh", "ssthresh", bytes, { dash: [6, 4] }),
			line("rwnd", "rwnd", bytes, { dash: [2, 3], beyond: true }),
			thirdLine(), timeoutLine(), lostLine(),
			shade("slow_start", "shade-slow_start"), shade("recovery", "shade-recovery")]);
		const { conn, end } = app;
		this.phases = phases(conn, end);
		this.reactions = reactions(conn, end);
		this.losses = losses(conn, end);
		this.make([conn.own[end].map((i) => conn.time[i]),
			...["flight", "cwnd", "ssthresh", "snd_wnd"].map((n) => series(conn, end, n))]);
	}

	// A peak that takes little of the time and would flatten all the rest is cut.
	range(u) {
		const [min, max] = this.app.range;
		const tops = ["flight", "cwnd", "ssthresh"].map((name, k) =>
			[name, highest(u.data[0], u.data[k + 1], min, max)]);
		const full = Math.max(...tops.map((top) => top[1]), 1) * 1.08;
		const common = usual(u.data, [min, max]) * 1.4;
		const top = common && common < full / 2 ? common : full;
		this.cut = tops.filter((found) => found[1] > top && found[0] !== "flight")
			.map(([name, value]) => `${name} ${bytes(value)}`).join(t("comma"));
		const window = highest(u.data[0], u.data[4], min, max);
		if (window > top)
			this.cut += `${this.cut && t("comma")}${t("rwnd")} ${bytes(window)}`;
		return [0, top];
	}

	under(u) {
		const { ctx, bbox } = u;
		ctx.save();
		for (const p of this.phases.filter((q) => q.phase !== "avoidance")) {
			const left = Math.max(u.valToPos(p.from, "x", true), bbox.left);
			const right = Math.min(u.valToPos(p.to, "x", true), bbox.left + bbox.width);
			if (right <= left)
				continue;
			ctx.fillStyle = color(`shade-${p.phase}`);
			ctx.fillRect(left, bbox.top, right - left, bbox.height);
		}
		ctx.restore();
	}

	over(u) {
		super.over(u);
		this.marks = [];
		const drawn = signs();
		for (const { lost } of this.losses)
			this.mark(u, lost, null, drawn.lost);
		if (this.cut)
			this.labelWidth = label(u, t("cut_off", { what: this.cut }));
		for (const r of this.reactions)
			this.mark(u, r.record, r.from, r.cause === THIRD ? drawn.third : drawn.timeout);
	}
}

// Sequence numbers over time.
class Sequence extends Chart {
	constructor(app, place) {
		super(app, place, "sequence", 220, [
			line("sent", "sent", count), line("acked", "acked", count),
			line("edge", "rwnd", count, { dash: [2, 3], beyond: true }),
			againLine(), lostLine()]);
		const { conn, end } = app;
		const list = conn.own[end];
		const at = (f) => list.map((i) => conn.col.snd_nxt[i] ? f(i) : null);
		const numbers = (name) => at((i) => conn.relative(conn.col[name][i], end));
		this.again = list.filter((i) => conn.event(i) === "rtx");
		this.losses = losses(conn, end);
		this.segments = list.filter((i) => conn.isSent(i) && conn.col.len[i]);
		this.make([list.map((i) => conn.time[i]), numbers("snd_nxt"), numbers("snd_una"),
			at((i) => conn.relative(conn.col.snd_una[i], end) + conn.col.snd_wnd[i])]);
	}

	yAxis() { return {}; }

	// What is in sight, not from the SYN on.
	range(u) {
		const [min, max] = this.app.range;
		let low = Infinity, high = 0;
		u.data[0].forEach((time, i) => {
			if (time < min || time > max || u.data[1][i] === null)
				return;
			low = Math.min(low, u.data[2][i]);
			high = Math.max(high, u.data[1][i]);
		});
		if (low > high)
			return [0, 1];
		const margin = Math.max((high - low) * 0.06, 1);
		return [Math.max(low - margin, 0), high + margin];
	}

	over(u) {
		super.over(u);
		this.marks = [];
		const { conn } = this;
		const drawn = signs();
		this.strokes(u);
		for (const i of this.again)
			this.mark(u, i, conn.seq(i), drawn.again);
		for (const { lost } of this.losses)
			this.mark(u, lost, conn.seq(lost), drawn.lost);
	}

	// Each segment as a stroke from its first byte to its last, if there are few.
	strokes(u) {
		const { conn } = this;
		const { min, max } = u.scales.x;
		const seen = this.segments.filter((i) => conn.time[i] >= min && conn.time[i] <= max);
		if (seen.length > 600)
			return;
		u.ctx.save();
		u.ctx.strokeStyle = color("sent");
		u.ctx.setLineDash([]);
		u.ctx.lineWidth = 2 * devicePixelRatio;
		for (const i of seen) {
			const x = u.valToPos(conn.time[i], "x", true);
			u.ctx.beginPath();
			u.ctx.moveTo(x, u.valToPos(conn.seq(i), "y", true));
			u.ctx.lineTo(x, u.valToPos(conn.seq(i) + conn.col.len[i], "y", true));
			u.ctx.stroke();
		}
		u.ctx.restore();
	}
}

// Samples of the round trip, their average, and the timeout made of them.
class RoundTrip extends Chart {
	constructor(app, place) {
		const ms = (us) => duration(us / 1e6);
		super(app, place, "round_trip", 160, [
			line("srtt", "srtt", ms, { width: 2 }),
			line("sample", "sample", ms, { points: true, kind: "dot" }),
			line("rto", "rto", ms, { dash: [6, 4] }), timeoutLine()]);
		const { conn, end } = app;
		const list = conn.own[end];
		this.fired = list.filter((i) => isTimeout(conn, i));
		this.make([list.map((i) => conn.time[i]),
			list.map((i) => conn.col.srtt[i] || null),
			list.map((i) => conn.event(i) === "rtt" ? conn.col.new[i] : null),
			list.map((i) => conn.col.srtt[i] ? conn.col.rto[i] : null)]);
	}

	yAxis() { return {}; }

	over(u) {
		super.over(u);
		this.marks = [];
		const drawn = signs();
		for (const i of this.fired)
			this.mark(u, i, this.conn.col.rto[i], drawn.timeout);
	}
}

// Payload a second: sent, and acknowledged.
class Throughput extends Chart {
	constructor(app, place) {
		super(app, place, "throughput", 150, [
			line("rate_acked", "acked", rate, { fill: "acked-fill" }),
			line("rate_sent", "sent", rate, { width: 1 })]);
		this.make(this.data(app.range));
	}

	// A stretch is no shorter than a round trip, which would show single bursts.
	data(range) {
		const { conn, app } = this;
		const trip = Math.max(...conn.own[app.end].slice(-100).map((i) => conn.col.srtt[i])) / 1e6;
		const count = trip ? Math.round((range[1] - range[0]) / trip) : BUCKETS;
		const found = throughput(conn, app.end, range, Math.max(8, Math.min(count, BUCKETS)));
		return [found.times, found.acked, found.sent];
	}

	yAxis() { return {}; }

	zoom(range) {
		this.plot.setData(this.data(range), false);
		super.zoom(range);
	}
}

export class Charts {
	constructor(app, place) {
		this.app = app;
		this.place = place;
		this.all = [];
		new ResizeObserver(() => this.all.forEach((c) => c.resize())).observe(place);
	}

	// Into so much room, if they can be that low and still be read.
	fit(room) {
		const heights = this.all.reduce((sum, chart) => sum + chart.height, 0);
		const rest = this.all.reduce((sum, chart) => sum + chart.captionHeight(), 0);
		const part = Math.max(LOWEST, Math.min((room - rest) / heights, 1));
		this.all.forEach((chart) => chart.shrink(part));
	}

	update(what) {
		if (what === "range") {
			this.all.forEach((c) => c.zoom(this.app.range));
		} else if (what === "selected") {
			this.all.forEach((c) => c.redraw());
		} else if (what === "all") {
			this.all.forEach((c) => c.destroy());
			this.all = [Windows, Sequence, RoundTrip, Throughput]
				.map((Kind) => new Kind(this.app, this.place));
			this.all.forEach((c) => c.zoom(this.app.range));
		}
	}
}
