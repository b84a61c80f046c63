// SPDX-License-Identifier: GPL-2.0
// list.js - the events of the end that is shown, in the range that is shown.
// Owns the page of rows and the filters by kind.
import { KINDS, UNSET, kindOf } from "./model.js";
import { el, listKeys } from "./dom.js";
import { bytes, duration, explain, moment, segment, t } from "./words.js";

const MOST = 200;
const TIMES = new Set(["rtt", "rto", "timer_set", "hystart"]);

// What a record changed, in a few words.
export function changeText(conn, i) {
	const event = conn.event(i);
	if (conn.isSegment(i))
		return segment(conn, i);
	if (event === "state")
		return `${conn.change("old", i)} → ${conn.change("new", i)}`;
	const show = TIMES.has(event) ? (us) => duration(us / 1e6) : bytes;
	if (event === "rtt" || event === "timer_set")
		return show(conn.col.new[i]);
	if (event === "rtt_refused" || event === "timer_fired")
		return "";
	const bounded = (value) => value >= UNSET ? "∞" : show(value);
	return `${bounded(conn.col.old[i])} → ${bounded(conn.col.new[i])}`;
}

export function title(conn, i) {
	if (conn.isLost(i))
		return t("lost_title");
	return explain("kinds", conn.event(i))[0];
}

export class List {
	constructor(app, rows, filters, note) {
		this.app = app;
		this.rows = rows;
		this.filters = filters;
		this.note = note;
		listKeys(rows, (step) => app.step(step));
	}

	update(what) {
		if (what === "all" || what === "kinds")
			this.drawFilters();
		this.draw();
	}

	drawFilters() {
		const { conn, end, kinds } = this.app;
		const counts = {};
		for (const i of conn.own[end])
			counts[kindOf(conn, i)] = (counts[kindOf(conn, i)] ?? 0) + 1;
		const focused = document.activeElement?.dataset?.kind;
		this.filters.replaceChildren(...KINDS.map((kind) => {
			const input = el("input", { type: "checkbox", "data-kind": kind,
				onchange: () => this.app.toggle(kind) });
			input.checked = kinds.has(kind);
			return el("label", {}, input, ` ${t(`kind_${kind}`)} `,
				el("small", {}, String(counts[kind] ?? 0)));
		}));
		this.filters.querySelector(`[data-kind="${focused}"]`)?.focus();
	}

	draw() {
		const { conn, selected, range } = this.app;
		const all = this.app.listed().filter((i) => conn.time[i] >= range[0] && conn.time[i] <= range[1] ||
			i === selected);
		let from = 0;
		const k = all.indexOf(selected);
		if (k >= MOST)
			from = Math.min(k - MOST / 2, all.length - MOST);
		const shown = all.slice(from, from + MOST);
		this.rows.replaceChildren(...shown.map((i) => this.row(i)));
		this.note.textContent = shown.length < all.length
			? t("list_part", { from: from + 1, to: from + shown.length, all: all.length })
			: t("list_all", { all: all.length });
		const chosen = this.rows.querySelector("[aria-selected=true]");
		if (chosen) {
			this.rows.setAttribute("aria-activedescendant", chosen.id);
			this.rows.scrollTop = chosen.offsetTop - this.rows.clientHeight / 2;
		} else {
			this.rows.removeAttribute("aria-activedescendant");
		}
	}

	row(i) {
		const { conn, selected } = this.app;
		return el("div", { role: "option", id: `event-${i}`, class: `event ${kindOf(conn, i)}`,
			"aria-selected": i === selected ? "true" : "false", onclick: () => this.app.select(i) },
		el("span", { class: "event-time" }, moment(conn.time[i])),
		el("span", { class: "event-kind" }, title(conn, i)),
		el("span", { class: "event-change" }, changeText(conn, i)),
		el("span", { class: "event-cause" }, explain("causes", conn.cause(i))[0]));
	}
}
