// SPDX-License-Identifier: GPL-2.0
// story.js - what happened, for somebody who sees it for the first time: a few
// sentences, the losses one by one, the totals. Owns those words' choice.
import { GO_BACK, LOSS_GO_BACK, THIRD, TIMEOUT, losses, reactions } from "./model.js";
import { lastBefore } from "./data.js";
import { el } from "./dom.js";
import { SIGNS } from "./marks.js";
import { bytes, clauseLink, clauseText, count, duration, explain, moment, rate, t } from "./words.js";

// A share of the time that is worth a word, as in chalk summary.
const LEAST_SHARE = 0.01;

// Losses that the table shows at once.
const MOST = 200, PRINTED = 12;

// A text that counts: the form for one, where the language has it.
function counted(key, n, values = {}) {
	return t(n === 1 ? `${key}_one` : key, { n: count(n), ...values });
}

function percent(part, whole) {
	return whole ? `${(100 * part / whole).toFixed(2)} %` : "";
}

// Paragraphs, each a list of texts and elements.
function sentences(conn, end) {
	const known = conn.ends[end].figures;
	const names = { a: conn.name(end), b: conn.name(1 - end) };
	if (!known)
		return [[t("say_untraced", names)]];
	return [[sayAmount(known, names)], ...sayHeld(known, names),
		...sayLosses(conn, known, names).map((s) => [s])];
}

// What held the sender back, and what the first of it means.
function sayHeld({ held_back: held }, names) {
	if (!held)
		return [];
	const all = Object.entries(held.by);
	const parts = all.filter(([, by]) => by.share >= LEAST_SHARE).map(([what, by], k) =>
		t(k ? "say_held_more" : "say_held_most", { what: explain("limits", what)[0],
			time: duration(by.seconds), whole: duration(held.seconds),
			share: `${(100 * by.share).toFixed(0)} %` }));
	const [, why, clause] = explain("limits", all[0][0]);
	return [[t("say_held", { ...names, parts: parts.join(t("comma")) }), el("br"),
		el("small", {}, why, " ",
			el("a", { href: clauseLink(clause), rel: "noreferrer" }, clauseText(clause)))]];
}

function sayAmount(known, names) {
	if (!known.goodput)
		return counted("say_no_data", known.segments_sent, names);
	const { acknowledged_bytes: size, seconds, mbit_per_s: mbit } = known.goodput;
	return t("say_amount", { ...names, size: bytes(size), time: duration(seconds),
		rate: rate(mbit * 1e6) });
}

function sayLosses(conn, known, names) {
	const again = Object.values(known.retransmissions).reduce((a, b) => a + b, 0);
	const lost = known.lost_on_the_way;
	const first = lost === null ? t("say_one_end") : !lost && !again ? t("say_no_loss", names)
		: counted("say_lost", lost, { all: count(known.segments_sent),
			part: percent(lost, known.segments_sent) });
	return [first, ...sayReaction(known, lost, again)];
}

function sayReaction(known, lost, again) {
	const third = known.loss_events["third duplicate ACK"] ?? 0;
	const timeout = known.loss_events["retransmission timeout"] ?? 0;
	if (!third && !timeout) {
		if (again)
			return [counted("say_again_only", again)];
		return lost ? [t("say_acks_lost")] : lost === 0 ? [t("say_grew")] : [];
	}
	const noticed = [third && counted("say_third", third), timeout && counted("say_timeout", timeout)]
		.filter(Boolean).join(t("say_and"));
	const acted = t(third && timeout ? "say_cut_both" : third ? "say_cut_half" : "say_cut_one");
	const partial = known.retransmissions["partial ACK"] ?? 0;
	return [t("say_noticed", { noticed }) + acted, ...partial ? [counted("say_partial", partial)] : []];
}

// What each loss led to: the last reaction by the time that it was sent again;
// shared, if that was a reaction to a loss before it.
export function reactionsTo(conn, stories) {
	const found = reactions(conn, stories.length ? conn.end(stories[0].lost) : 0);
	const seen = new Set();
	return stories.map((story) => {
		const latest = story.again < 0 ? undefined
			: found[lastBefore(found, (r) => r.time, conn.time[story.again])];
		const reaction = latest && latest.time >= story.time ? latest : undefined;
		const shared = reaction !== undefined && seen.has(reaction);
		seen.add(reaction);
		return { reaction, shared };
	});
}

// What the window is to be after a loss: fast recovery swells it for a while.
export function target(reaction) {
	return reaction.cause === TIMEOUT ? reaction.cwnd : reaction.ssthresh;
}

export class Story {
	constructor(app, places) {
		this.app = app;
		Object.assign(this, places);
	}

	update(what) {
		if (what === "all") {
			const { conn, end } = this.app;
			this.text.replaceChildren(...sentences(conn, end).map((s) => el("p", {}, ...s)),
				...this.warnings(conn));
			this.totals.replaceChildren(this.table(conn));
			this.subject.textContent = this.about(conn);
		}
		if (what === "all")
			this.drawLosses();
		if (what === "selected")
			this.chooseLoss();
	}

	warnings(conn) {
		const found = [];
		const { data } = conn;
		if (data.lost)
			found.push(t("warn_lost", { n: count(data.lost) }));
		if (conn.leftOut)
			found.push(t("warn_left_out", { n: count(conn.leftOut), all: count(conn.leftOut + conn.rows) }));
		if (data.pairs_left_out)
			found.push(t("warn_pairs", { n: count(data.pairs_left_out) }));
		return found.map((s) => el("p", { class: "warn" }, s));
	}

	// What a sheet of paper is about: the trace, the ends, the part that is shown.
	about(conn) {
		const { data, range } = this.app;
		const ends = conn.ends.map((end, e) => conn.name(e) === end.local ? end.local
			: `${conn.name(e)} (${end.local})`).join(" ↔ ");
		const part = range[0] > 0 || range[1] < conn.last
			? ` · ${t("part_shown", { from: moment(range[0]), to: moment(range[1]) })}` : "";
		return `${data.source} · ${ends}${part}`;
	}

	// The table, or of a long one the part with the loss that is selected.
	drawLosses() {
		const { conn, end } = this.app;
		const stories = losses(conn, end);
		this.losses.hidden = !stories.length;
		this.rows = [];
		if (!stories.length)
			return;
		const k = stories.findIndex((s) => this.isChosen(s));
		const most = this.app.printing ? PRINTED : MOST;
		this.from = Math.max(0, Math.min(k - most / 2, stories.length - most));
		const shown = stories.slice(this.from, this.from + most);
		const found = reactionsTo(conn, stories).slice(this.from);
		const head = ["loss_number", "loss_when", "loss_what", "loss_how", "loss_cwnd", "loss_repaired"];
		this.rows = shown.map((s, n) => this.lossRow(s, this.from + n, found[n]));
		this.losses.replaceChildren(
			el("h2", {}, t("losses_of", { name: conn.name(end) })),
			el("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": t("losses") },
				el("table", {}, el("thead", {}, el("tr", {}, ...head.map((h) => el("th", { scope: "col" }, t(h))))),
					el("tbody", {}, ...this.rows))));
		if (shown.length < stories.length)
			this.losses.append(el("p", { class: "hint" }, t(this.app.printing ? "loss_printed" : "loss_part",
				{ from: this.from + 1, to: this.from + shown.length, all: stories.length,
					rest: stories.length - shown.length })));
	}

	isChosen({ lost, again }) {
		const { selected } = this.app;
		return selected >= 0 && (lost === selected || again === selected);
	}

	// Mark what is selected; draw only if it is outside of what is shown.
	chooseLoss() {
		const stories = losses(this.app.conn, this.app.end);
		const k = stories.findIndex((s) => this.isChosen(s));
		if (k >= 0 && !this.rows[k - this.from]) {
			const focused = document.activeElement?.dataset?.loss;
			this.drawLosses();
			this.losses.querySelector(`[data-loss="${focused}"]`)?.focus({ preventScroll: true });
		}
		this.rows.forEach((row, n) => {
			row.className = this.isChosen(stories[this.from + n]) ? "chosen" : "";
		});
	}

	lossRow(s, k, { reaction, shared }) {
		const { conn } = this.app;
		const after = !reaction ? "–" : shared ? t("loss_same")
			: `${bytes(reaction.from)} → ${bytes(target(reaction))}`;
		return el("tr", { class: this.isChosen(s) ? "chosen" : "" },
			el("td", {}, el("button", { type: "button", class: "link", "data-loss": k,
				"aria-label": t("show_loss", { n: k + 1 }), onclick: () => this.app.showLoss(s) }, `${k + 1}`)),
			el("td", {}, moment(s.time)),
			el("td", {}, `seq=${conn.seq(s.lost)}${conn.col.len[s.lost] ? ` len=${conn.col.len[s.lost]}` : ""}`),
			el("td", {}, signOf(s), s.again < 0 ? t("loss_never") : explain("causes", s.cause)[0]),
			el("td", {}, after),
			el("td", {}, s.repaired < 0 ? "–" : t("loss_after", { time: duration(conn.time[s.repaired] - s.time) })));
	}

	table(conn) {
		const rows = [["total_bytes", (f) => bytes(f.bytes_sent)],
			["total_segments", (f) => count(f.segments_sent)],
			["total_lost", (f) => f.lost_on_the_way === null ? "?"
				: `${count(f.lost_on_the_way)} (${percent(f.lost_on_the_way, f.segments_sent)})`],
			["total_again", (f) => listed(f.retransmissions)],
			["total_noticed", (f) => listed(f.loss_events)],
			["total_refused", (f) => listed(f.dropped_on_arrival)],
			["total_goodput", (f) => f.goodput ? rate(f.goodput.mbit_per_s * 1e6) : "–"],
			["total_rtt", (f) => f.rtt_ms ? ["min", "avg", "max"].map((k) => duration(f.rtt_ms[k] / 1e3)).join(" / ") : "–"],
			["total_samples", (f) => f.rtt_ms ? `${count(f.rtt_ms.samples)} / ${count(f.rtt_ms.refused)}` : "–"]];
		const ends = conn.ends;
		return el("table", {},
			el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("totals")),
				...ends.map((end, e) => el("th", { scope: "col" }, conn.name(e),
					conn.name(e) === end.local ? null : el("small", {}, end.local))))),
			el("tbody", {}, ...rows.map(([word, show]) => el("tr", {},
				el("th", { scope: "row" }, t(word)),
				...ends.map((end) => el("td", {}, end.figures ? show(end.figures) : "?"))))));
	}
}

// As the charts show what led to the repair.
function signOf({ cause }) {
	const sign = { [THIRD]: "third", [LOSS_GO_BACK]: "third", [GO_BACK]: "timeout" }[cause];
	return sign ? el("span", { class: `sign ${sign}`, "aria-hidden": "true" }, `${SIGNS[sign]} `) : null;
}

function listed(counts) {
	const parts = Object.entries(counts).map(([cause, n]) => `${explain("causes", cause)[0]} ${count(n)}`);
	const sum = Object.values(counts).reduce((a, b) => a + b, 0);
	return parts.length ? `${count(sum)}${t("colon")}${parts.join(t("comma"))}` : "0";
}
