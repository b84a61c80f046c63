// SPDX-License-Identifier: GPL-2.0
// panel.js - all about the event that is selected: cause, clause, what it means,
// each variable before and after, and the events that belong to it.
import { el } from "./dom.js";
import { changeText, title } from "./list.js";
import { TIMEOUT, UNSET, losses, reactions } from "./model.js";
import { reactionOf, target } from "./story.js";
import { bytes, clauseLink, clauseText, count, duration, explain, moment, t } from "./words.js";

const SEQUENCES = { snd_una: 0, snd_nxt: 0, rcv_nxt: 1 };
const TIMES = new Set(["srtt", "rttvar", "rto"]);

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
		const head = title(conn, selected) +
			(conn.isLost(selected) ? "" : `: ${explain("causes", conn.cause(selected))[0]}`);
		this.place.replaceChildren(el("h3", {}, head), this.facts(selected), ...this.texts(selected),
			this.links(selected), this.variables(selected));
	}

	facts(i) {
		const { conn } = this.app;
		const clause = conn.clause(i);
		const link = clauseLink(clause);
		const what = changeText(conn, i);
		return el("p", { class: "facts" },
			el("b", {}, moment(conn.time[i])), ` · ${conn.name(conn.end(i))} · ${conn.state(i)}`,
			what ? el("span", { class: "what" }, ` · ${what}`) : null, " · ",
			link ? el("a", { href: link, rel: "noreferrer" }, clauseText(clause)) : clauseText(clause));
	}

	texts(i) {
		const { conn } = this.app;
		const found = [];
		if (conn.isLost(i))
			found.push(el("p", { class: "warn" }, t("lost_text", { name: conn.name(1 - conn.end(i)) })),
				...this.sequel(i));
		found.push(el("p", { class: "why" }, explain("causes", conn.cause(i))[1]));
		if (!conn.isLost(i))
			found.push(el("p", { class: "hint" }, explain("kinds", conn.event(i))[1]));
		return found;
	}

	// How a loss was noticed and mended, and what that cost.
	sequel(i) {
		const { conn } = this.app;
		const end = conn.end(i);
		const story = losses(conn, end).find((s) => s.lost === i);
		if (!story)
			return [];
		if (story.again < 0 || story.repaired < 0)
			return [el("p", { class: "why" }, t("lost_open"))];
		const wait = (k) => duration(conn.time[k] - story.time);
		const parts = [t("lost_then", { cause: explain("causes", story.cause)[0], name: conn.name(end),
			wait: wait(story.again), total: wait(story.repaired) })];
		const reaction = reactionOf(conn, story, reactions(conn, end));
		if (reaction)
			parts.push(t(reaction.cause === TIMEOUT ? "lost_cut_one" : "lost_cut",
				{ from: bytes(reaction.from), to: bytes(target(reaction)) }));
		return [el("p", { class: "why" }, parts.join(""))];
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
		const rows = conn.data.variables.map((name) => {
			const now = conn.col[name][i];
			const old = before < 0 ? now : conn.col[name][before];
			return el("tr", { class: now === old ? "" : "changed" },
				el("th", { scope: "row", title: t(`var_${name}`) }, name,
					el("small", {}, t(`var_${name}`))),
				el("td", {}, this.value(name, old, conn.end(i))),
				el("td", {}, this.value(name, now, conn.end(i)),
					now === old ? null : el("span", { class: "delta" }, now > old ? " ▲" : " ▼")));
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
