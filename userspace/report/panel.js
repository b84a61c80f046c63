// SPDX-License-Identifier: GPL-2.0
// panel.js - all about the event that is selected: cause, clause, what it means,
// each variable before and after, and the events that belong to it.
import { el } from "./dom.js";
import { changeText, title } from "./list.js";
import { losses } from "./model.js";
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
		const title_ = el("h3", {}, title(conn, selected), ": ",
			explain("causes", conn.cause(selected))[0]);
		this.place.replaceChildren(title_, this.facts(selected), ...this.texts(selected),
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
			found.push(el("p", { class: "warn" }, t("lost_text", { name: conn.name(1 - conn.end(i)) })));
		found.push(el("p", { class: "why" }, explain("causes", conn.cause(i))[1]));
		if (!conn.isLost(i))
			found.push(el("p", { class: "hint" }, explain("kinds", conn.event(i))[1]));
		return found;
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
		if (name === "ssthresh" && value >= 0x7fffffff)
			return "∞";
		return value < 1024 ? count(value) : `${count(value)} (${bytes(value)})`;
	}
}
