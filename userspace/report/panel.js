// SPDX-License-Identifier: GPL-2.0
// panel.js - all about the event that is selected: cause, clause, what it means,
// each variable before and after, and the events that belong to it.
import { el } from "./dom.js";
import { changeText, title } from "./list.js";
import { TIMEOUT, UNSET, losses } from "./model.js";
import { reactionsTo, target } from "./story.js";
import { bytes, clauseLink, clauseText, count, duration, explain, moment, t } from "./words.js";

const SEQUENCES = { snd_una: 0, snd_nxt: 0, rcv_nxt: 1 };
const TIMES = new Set(["srtt", "rttvar", "rto"]);

// Whether the reaction and the repair go by one rule.
const same = (rules) => rules.length > 1 && rules[0].textContent === rules[1].textContent;

export class Panel {
	constructor(app, place) {
		this.app = app;
		this.place = place;
	}

	update(what) {
		if (what !== "selected" && what !== "all")
			return;
		const { conn, selected } = this.app;
		if (selected < 0) {
			this.place.replaceChildren(el("p", { class: "hint nothing" }, t("panel_hint")));
			return;
		}
		const head = title(conn, selected) + (conn.isLost(selected) ? ""
			: t("colon") + explain("causes", conn.cause(selected))[0]);
		this.place.replaceChildren(el("h3", {}, head), this.facts(selected), ...this.texts(selected),
			this.links(selected), this.variables(selected));
	}

	facts(i) {
		const { conn } = this.app;
		const what = changeText(conn, i);
		return el("p", { class: "facts" },
			el("b", {}, moment(conn.time[i])), ` · ${conn.name(conn.end(i))} · ${conn.state(i)}`,
			what ? el("span", { class: "what" }, ` · ${what}`) : null, " · ", this.clause(i));
	}

	texts(i) {
		const { conn } = this.app;
		const why = explain("causes", conn.cause(i))[1];
		if (conn.isLost(i))
			return [el("p", { class: "warn" }, t("lost_text", { name: conn.name(1 - conn.end(i)) })),
				...this.sequel(i), el("p", { class: "hint" }, t("lost_sent", { why }))];
		return [el("p", { class: "why" }, why),
			el("p", { class: "hint" }, explain("kinds", conn.event(i))[1])];
	}

	// How a loss was noticed and mended, what that cost, and by which rule.
	sequel(i) {
		const { conn } = this.app;
		const end = conn.end(i);
		const stories = losses(conn, end);
		const k = stories.findIndex((s) => s.lost === i);
		if (k < 0)
			return [];
		const story = stories[k];
		if (story.again < 0 || story.repaired < 0)
			return [el("p", { class: "why" }, t("lost_open"))];
		const wait = (k) => duration(conn.time[k] - story.time);
		const parts = [t("lost_then", { cause: explain("causes", story.cause)[0], name: conn.name(end),
			wait: wait(story.again), total: wait(story.repaired) })];
		const { reaction, shared } = reactionsTo(conn, stories)[k];
		if (shared)
			parts.push(t("lost_same"));
		else if (reaction)
			parts.push(t(reaction.cause === TIMEOUT ? "lost_cut_one" : "lost_cut",
				{ from: bytes(reaction.from), to: bytes(target(reaction)) }));
		const rule = [reaction && !shared ? reaction.record : -1, story.again].filter((r) => r >= 0)
			.map((r) => el("p", { class: "rule" }, explain("causes", conn.cause(r))[1], " ", this.clause(r)));
		return [el("p", { class: "why" }, parts.join("")), ...same(rule) ? rule.slice(1) : rule];
	}

	// The clause that asks for a record, as a link where it is an RFC.
	clause(i) {
		const clause = this.app.conn.clause(i);
		const link = clauseLink(clause);
		return link ? el("a", { href: link, rel: "noreferrer" }, clauseText(clause)) : clauseText(clause);
	}

	// The other record of a segment; of a loss its repair.
	links(i) {
		const { conn } = this.app;
		const found = [];
		const add = (word, to) => {
			if (to >= 0)
				found.push(el("button", { type: "button", onclick: () => this.app.select(to) },
					`${t(word)} (${moment(conn.time[to])})`));
		};
		add(conn.isSent(i) ? "go_arrival" : "go_sending", conn.mate(i));
		for (const story of losses(conn, conn.end(i))) {
			if (story.lost === i) {
				add("go_again", story.again);
				add("go_repaired", story.repaired);
			} else if (story.again === i) {
				add("go_lost", story.lost);
			}
		}
		return el("p", { class: "links" }, ...found);
	}

	variables(i) {
		const { conn } = this.app;
		const before = conn.prev[i];
		const old = (name) => conn.col[name][before < 0 ? i : before];
		const isChanged = (name) => conn.col[name][i] !== old(name);
		const names = conn.data.variables.toSorted((a, b) => isChanged(b) - isChanged(a));
		const rows = names.map((name) => {
			const now = conn.col[name][i], then = old(name);
			return el("tr", { class: isChanged(name) ? "changed" : "" },
				el("th", { scope: "row", title: t(`var_${name}`) }, name,
					el("small", {}, t(`var_${name}`))),
				el("td", {}, this.value(name, then, conn.end(i))),
				el("td", {}, this.value(name, now, conn.end(i)),
					isChanged(name) ? el("span", { class: "delta" }, now > then ? " ▲" : " ▼") : null));
		});
		return el("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": t("variables") },
			el("table", { class: "variables" },
				el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("variable")),
					el("th", { scope: "col" }, t("before")), el("th", { scope: "col" }, t("after")))),
				el("tbody", {}, ...rows)));
	}

	value(name, value, end) {
		const { conn } = this.app;
		if (name in SEQUENCES) {
			if (!value)
				return "–";
			return count(conn.relative(value, SEQUENCES[name] ? 1 - end : end));
		}
		if (TIMES.has(name))
			return value ? duration(value / 1e6) : "–";
		if (name === "ssthresh" && value >= UNSET)
			return "∞";
		return value < 1024 ? count(value) : `${count(value)} (${bytes(value)})`;
	}
}
