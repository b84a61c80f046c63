// SPDX-License-Identifier: GPL-2.0
// ladder.js - the segments between the two ends, time running down. Owns the
// drawing: each row is one thing at one end, in the order of time; a
// line leads from the row in which a segment left to the one in which it arrived.
import { SIGNS } from "./marks.js";
import { TIMEOUT, essential, flights, isReaction, isTimeout, losses } from "./model.js";
import { lastBefore } from "./data.js";
import { listKeys, svg } from "./dom.js";
import { explain, fromTo, moment, shortSegment, t } from "./words.js";

const MOST = 40;
const BESIDE = 2;
const ROW = 18, PRINTED_ROW = 13;
const PRINTED_LEAST = 8;
const HEAD = 30;
const SHORT = 6;
const NARROW = 500;
const STATE = 100; // has room for the longest state
const SIDE = 145; // and for a time beside it

export class Ladder {
	constructor(app, place) {
		this.app = app;
		this.place = place;
		this.first = 0;
		this.visible = [];
		this.most = MOST;
		this.scroll = place.querySelector(".ladder-scroll");
		this.note = place.querySelector(".ladder-note");
		this.whole = place.querySelector("input");
		this.whole.addEventListener("change", () => this.update("range"));
		place.querySelector("[data-go=earlier]").addEventListener("click", () => this.turn(-1));
		place.querySelector("[data-go=later]").addEventListener("click", () => this.turn(1));
		listKeys(this.scroll, (step) => this.walk(step));
		new ResizeObserver(() => {
			if (this.flights && this.width !== this.scroll.clientWidth)
				this.draw();
		}).observe(this.scroll);
	}

	update(what) {
		if (what === "all") {
			this.flights = flights(this.app.conn);
			this.essential = essential(this.app.conn);
		}
		this.inRange(what !== "selected");
		this.toSelected();
		this.draw();
		if (what !== "all")
			this.showSelected();
	}

	get row() { return this.app.printing ? PRINTED_ROW : ROW; }

	time(f) { return this.app.conn.time[beginning(f)]; }

	// Where there are many, those that tell the story and those beside the one
	// that is selected; each knows how many are left out before it, and the first.
	inRange(anew) {
		const [from, to] = this.app.range;
		const all = this.flights.filter((f) => this.time(f) >= from && this.time(f) <= to);
		this.all = all.length;
		const near = this.indexOf(all, this.app.selected);
		const told = this.whole.checked || all.length <= MOST ? all
			: all.filter((f, k) => this.essential.has(f.sent) || this.essential.has(f.arrived) ||
				near >= 0 && Math.abs(k - near) <= BESIDE);
		this.told = told.length;
		this.visible = this.app.printing ? this.brief(told) : told;
		const index = new Map(all.map((f, k) => [f, k]));
		this.gaps = new Map();
		this.visible.forEach((f, k) => {
			const from = k ? index.get(this.visible[k - 1]) + 1 : 0;
			if (index.get(f) > from)
				this.gaps.set(f, { n: index.get(f) - from, first: all[from] });
		});
		if (anew)
			this.first = 0;
	}

	// For paper: the beginning, one loss from its sending to its repair (the one
	// that is selected, or the first), the end.
	brief(told) {
		const most = this.most;
		if (told.length <= most)
			return told;
		const { conn, end, range, selected } = this.app;
		const found = losses(conn, end).filter(({ time }) => time >= range[0] && time <= range[1]);
		const story = found.find(({ lost, again }) => lost === selected || again === selected) ?? found[0];
		const part = Math.ceil(most / 4);
		const keep = new Set([...told.slice(0, part), ...told.slice(-part)]);
		const until = !story ? 0 : story.repaired < 0 ? range[1] : conn.time[story.repaired];
		for (const f of told)
			if (keep.size < most && story && this.time(f) >= story.time && this.time(f) <= until)
				keep.add(f);
		for (const f of told)
			if (keep.size < most)
				keep.add(f);
		return told.filter((f) => keep.has(f));
	}

	// Draw no more than has room on paper.
	fit(room) {
		for (this.most = MOST; this.most > PRINTED_LEAST; this.most--) {
			this.update("range");
			if (this.scroll.scrollHeight <= room)
				return;
		}
	}

	indexOf(list, record) {
		return record < 0 ? -1 : list.findIndex((f) => f.sent === record || f.arrived === record);
	}

	// What is selected stands in the middle of what is drawn.
	toSelected() {
		const { selected, conn } = this.app;
		if (selected < 0 || this.visible.length <= MOST)
			return;
		let k = this.indexOf(this.visible, selected);
		if (k < 0)
			k = lastBefore(this.visible, (f) => this.time(f), conn.time[selected]);
		if (k < this.first || k >= this.first + MOST)
			this.first = this.bounded(k - MOST / 2);
	}

	bounded(first) {
		return Math.max(0, Math.min(first, this.visible.length - MOST));
	}

	turn(direction) {
		this.first = this.bounded(this.first + direction * MOST * 0.8 | 0);
		this.draw();
		this.scroll.scrollTop = 0;
	}

	walk(step) {
		const now = this.app.selected;
		let k = this.indexOf(this.visible, now);
		k = k < 0 ? this.first : Math.max(0, Math.min(k + step, this.visible.length - 1));
		const f = this.visible[k];
		if (f)
			this.app.select(beginning(f));
	}

	// Rows: what happened at an end, in order.
	rows(shown) {
		const { conn } = this.app;
		const rows = [];
		shown.forEach((f) => {
			for (const i of [f.sent, f.arrived])
				if (i >= 0)
					rows.push({ i });
			const gap = this.gaps.get(f);
			if (gap)
				rows.push({ i: beginning(gap.first) - 0.25, gap: gap.n });
		});
		this.changes = new Map();
		if (!rows.length)
			return rows;
		rows.sort((a, b) => a.i - b.i);
		const from = Math.ceil(rows[0].i), to = rows[rows.length - 1].i;
		const late = this.first + MOST >= this.visible.length ? this.latest() : to;
		rows.push(...this.stateRows(new Set(rows.map((row) => row.i)), late));
		const instants = new Set(shown.flatMap((f) => [f.sent, f.arrived]).map((i) => conn.time[i]));
		let instant = -1;
		for (let i = from; i <= late; i++) {
			if (!instants.has(conn.time[i]))
				continue;
			if (isReaction(conn, i) && conn.time[i] !== instant) {
				instant = conn.time[i];
				rows.push(...this.reaction(i));
			} else if (isTimeout(conn, i)) {
				rows.push({ i, note: `${SIGNS.timeout} ${t("timeout")}`, kind: "timeout" });
			}
		}
		return rows.sort((a, b) => a.i - b.i);
	}

	// Each change of state stands at the segment that goes with it, if that is
	// drawn, else in a row of its own; this.changes has them by their rows.
	stateRows(drawn, late) {
		const { conn } = this.app;
		const found = [];
		for (let i = this.earliest(); i <= late; i++) {
			if (conn.event(i) !== "state")
				continue;
			const beside = segmentOf(conn, i);
			if (drawn.has(beside) && !this.changes.has(beside)) {
				this.changes.set(beside, i);
			} else {
				this.changes.set(i, i);
				found.push({ i });
			}
		}
		return found;
	}

	// The first record whose change of state belongs to what is drawn: of the
	// range, or after the last segment that is drawn before.
	earliest() {
		const { conn, range } = this.app;
		return this.first ? beginning(this.visible[this.first - 1]) + 1
			: conn.time.findIndex((time) => time >= range[0]);
	}

	// The last record in the range; after the last segment there are changes of
	// state, which belong to the whole.
	latest() {
		const { conn, range } = this.app;
		return range[1] >= conn.last ? conn.rows - 1
			: lastBefore(conn.time, (time) => time, range[1]);
	}

	// What an end took for loss, unless its timer has a row already, and its window.
	reaction(i) {
		const { conn } = this.app;
		const before = conn.prev[i] < 0 ? i : conn.prev[i];
		const from = conn.col.cwnd[before];
		const [cwnd, ssthresh] = ["cwnd", "ssthresh"].map((name) => this.finally(i, name));
		if (conn.cause(i) === TIMEOUT)
			return [{ i, note: `cwnd ${fromTo(from, cwnd)}`, kind: "timeout" }];
		return [{ i, note: `${SIGNS.third} ${explain("causes", conn.cause(i))[0]}` },
			{ i: i + 0.5, note: cwnd > ssthresh ? t("ladder_cut", { change: fromTo(from, ssthresh) })
				: `cwnd ${fromTo(from, cwnd)}` }];
	}

	// A variable after all records of the instant.
	finally(i, name) {
		const { conn } = this.app;
		let last = i;
		for (let k = i; k < conn.rows && conn.time[k] === conn.time[i]; k++)
			if (conn.end(k) === conn.end(i))
				last = k;
		return conn.col[name][last];
	}

	draw() {
		const shown = this.visible.slice(this.first, this.first + MOST);
		this.width = this.scroll.clientWidth;
		const width = Math.max(this.width, 300);
		const side = Math.max(width * 0.24, width < NARROW ? STATE : SIDE);
		this.rails = [side, width - side];
		const rows = this.rows(shown);
		const where = new Map(rows.map((row, k) => [row.i, HEAD + this.row * (k + 1)]));
		const height = HEAD + this.row * (rows.length + SHORT / 2);
		const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`,
			role: "listbox", tabindex: 0, "aria-label": t("ladder") });
		picture.append(...this.railLines(height), ...this.states(rows, where),
			...shown.map((f) => this.line(f, where)),
			...rows.filter((row) => row.gap).map((row) => gapSign(width / 2, where.get(row.i), row.gap)),
			...rows.filter((row) => row.note).map((row) => this.remark(row, where)));
		const focused = this.scroll.contains(document.activeElement);
		this.scroll.replaceChildren(picture);
		if (focused)
			picture.focus({ preventScroll: true });
		const chosen = picture.querySelector("[aria-selected=true]");
		if (chosen)
			picture.setAttribute("aria-activedescendant", chosen.id);
		const range = { from: this.first + 1, to: this.first + shown.length,
			all: this.visible.length, whole: this.all };
		this.note.textContent = this.app.printing && shown.length < this.told
			? t("ladder_printed", { all: shown.length, whole: this.all })
			: t(this.visible.length < this.all ? "ladder_told"
			: this.visible.length > shown.length ? "ladder_part" : "ladder_all", range);
		this.place.querySelector("[data-go=earlier]").disabled = this.first === 0;
		this.place.querySelector("[data-go=later]").disabled =
			this.first + MOST >= this.visible.length;
	}

	railLines(height) {
		const { conn } = this.app;
		return [0, 1].flatMap((e) => [
			svg("text", { x: this.rails[e], y: 14, class: "ladder-name", "text-anchor": "middle" },
				conn.name(e)),
			svg("line", { x1: this.rails[e], x2: this.rails[e], y1: 20, y2: height,
				class: "rail" })]);
	}

	// Times at each row, and the state that it brings; at the first row of an
	// end, in brackets, the one that it had before.
	states(rows, where) {
		const { conn } = this.app;
		const known = [false, false];
		const range = this.app.range[1] - this.app.range[0];
		return rows.filter(({ i }) => Number.isInteger(i)).flatMap(({ i }) => {
			const e = conn.end(i), y = where.get(i);
			const x = e ? this.rails[1] + 6 : this.rails[0] - 6;
			const anchor = e ? "start" : "end";
			const change = this.changes.get(i);
			const label = change !== undefined ? conn.change("new", change)
				: known[e] || conn.state(i) === "-" ? "" : `(${conn.state(i)})`;
			const time = moment(conn.time[i], range).replace(" s", "");
			known[e] ||= label !== "";
			const text = !label ? time : this.width < NARROW ? label
				: e ? `${time} ${label}` : `${label} ${time}`;
			return [svg("text", { x, y: y + 4, "text-anchor": anchor,
				class: label ? "ladder-state" : "ladder-time" }, text)];
		});
	}

	line(f, where) {
		const { conn, selected } = this.app;
		const i = beginning(f);
		const [x1, x2] = f.from ? [this.rails[1], this.rails[0]] : this.rails;
		const y1 = where.get(f.sent) ?? where.get(f.arrived) - this.row;
		const lost = f.sent >= 0 && f.arrived < 0 && conn.both;
		let y2 = where.get(f.arrived) ?? y1 + this.row * SHORT / 2;
		let x = x2;
		if (lost) {
			x = x1 + (x2 - x1) * 0.72;
			y2 = y1 + this.row;
		}
		const refused = f.arrived >= 0 && conn.event(f.arrived) === "drop";
		const again = f.sent >= 0 && conn.event(f.sent) === "rtx";
		const chosen = selected >= 0 && (f.sent === selected || f.arrived === selected);
		const kind = lost || refused ? "lost" : again ? "again" : conn.col.len[i] ? "data" : "ack";
		const mark = lost ? ` ✕ ${t("lost_short")}`
			: refused ? ` ✕ ${explain("causes", conn.cause(f.arrived))[0]}`
				: again ? ` ↻ ${t("again_short")}` : "";
		const text = shortSegment(conn, i) + mark;
		const group = svg("g", { class: `flight ${kind}${chosen ? " chosen" : ""}`, role: "option",
			id: `flight-${i}`, "aria-selected": chosen ? "true" : "false",
			"aria-label": this.words(f, i, text), onclick: () => this.app.select(i) },
		svg("line", { x1, y1, x2: x, y2, class: "reach" }),
		svg("line", { x1, y1, x2: x, y2, class: "wire" }),
		lost || refused ? cross(x, y2) : head(x1, y1, x, y2),
		svg("text", { x: x1 + (f.from ? -10 : 10), y: y1 - 2, class: "flight-text",
			"text-anchor": f.from ? "end" : "start" }, text));
		return group;
	}

	// For those who hear it: what stands there, and what the line shows.
	words(f, i, text) {
		const { conn } = this.app;
		return `${text}, ${moment(conn.time[i])}, ${conn.name(f.from)} → ${conn.name(1 - f.from)}`;
	}

	remark({ i, note, kind = "third" }, where) {
		const e = this.app.conn.end(Math.floor(i));
		const group = svg("g", { class: `remark ${kind}`, onclick: () => this.app.select(Math.floor(i)) });
		group.append(svg("text", { x: this.rails[e] + (e ? -8 : 8), y: where.get(i),
			"text-anchor": e ? "end" : "start" }, note));
		return group;
	}

	showSelected() {
		const chosen = this.scroll.querySelector(".chosen");
		if (!chosen)
			return;
		const box = chosen.getBoundingClientRect(), frame = this.scroll.getBoundingClientRect();
		if (box.top < frame.top + 20 || box.bottom > frame.bottom - 20)
			this.scroll.scrollTop += box.top - frame.top - frame.height / 3;
	}
}

// The record of a segment that goes with a change of state: in the same
// instant at the same end, the one before it, else the one after it.
function segmentOf(conn, i) {
	for (const step of [-1, 1])
		for (let k = i + step; conn.time[k] === conn.time[i]; k += step)
			if (conn.end(k) === conn.end(i) && conn.isSegment(k))
				return k;
	return -1;
}

// On a ground of its own, since arrows pass there.
function gapSign(x, y, n) {
	const text = `⋮ ${t("gap", { n })} ⋮`;
	const wide = 4 + 7 * text.length;
	return svg("g", { class: "gap" },
		svg("rect", { x: x - wide / 2, y: y - 10, width: wide, height: 13 }),
		svg("text", { x, y, "text-anchor": "middle" }, text));
}

// The first record of a segment.
function beginning(f) {
	return f.sent >= 0 ? f.sent : f.arrived;
}

function cross(x, y) {
	return svg("path", { class: "cross",
		d: `M${x - 5},${y - 5}l10,10m0,-10l-10,10` });
}

function head(x1, y1, x2, y2) {
	const angle = Math.atan2(y2 - y1, x2 - x1) * 180 / Math.PI;
	return svg("path", { class: "head", d: "M0,0l-8,-3.5v7z",
		transform: `translate(${x2} ${y2}) rotate(${angle})` });
}
