// SPDX-License-Identifier: GPL-2.0
// main.js - what is shown of the trace: connection, end, range of time, the
// event that is selected, kinds, language and theme. Owns that state, the
// controls and the keys; each view draws itself when told what has changed.
import { Charts } from "./charts.js";
import { Conn, inflate, lastBefore } from "./data.js";
import { el } from "./dom.js";
import { Ladder } from "./ladder.js";
import { List } from "./list.js";
import { TIMEOUT, isTimeout, kindOf, losses, reactions } from "./model.js";
import { Panel } from "./panel.js";
import { Print } from "./print.js";
import { States } from "./states.js";
import { Story } from "./story.js";
import { learn, speak, spoken, t } from "./words.js";

const $ = (id) => document.getElementById(id);
const embedded = (id) => JSON.parse($(id).textContent);
const LEAST = 1e-5;

class App {
	constructor(data) {
		this.data = data;
		this.kinds = new Set(["loss", "state"]);
		this.selected = -1;
		this.printing = false;
		const charts = new Charts(this, $("charts")), ladder = new Ladder(this, $("ladder"));
		this.views = [
			new Story(this, { text: $("story"), losses: $("losses"), totals: $("totals"),
				subject: $("subject") }),
			charts, new Panel(this, $("panel")), ladder, new List(this, $("events"), $("kinds"), $("events-note")),
			new States(this, $("states"), $("path")),
		];
		new Print(this, { charts, ladder });
	}

	update(what) {
		for (const view of this.views)
			view.update(what);
		if (what === "all")
			this.controls();
	}

	// Which connection; of its ends the one that sent most.
	async open(number) {
		const pair = this.data.pairs[number];
		this.pair = number;
		this.conn = new Conn(this.data, pair, await inflate(pair.packed));
		const sent = pair.ends.map((end) => end.figures?.bytes_sent ?? -1);
		this.show(sent[1] > sent[0] ? 1 : 0);
	}

	show(end) {
		this.end = end;
		this.selected = -1;
		this._listed = null;
		this.range = this.whole();
		this.update("all");
	}

	whole() { return [0, this.conn.last * 1.005]; }
	latest() { return Math.max(this.whole()[1], this.conn.time[this.conn.rows - 1]); }

	zoomTo(from, to) {
		const span = Math.min(Math.max(to - from, LEAST), this.latest());
		const begin = Math.max(0, Math.min(from, this.latest() - span));
		this.range = [begin, begin + span];
		this.update("range");
	}

	zoomAt(center, factor) {
		const [from, to] = this.range;
		this.zoomTo(center - (center - from) * factor, center + (to - center) * factor);
	}

	// At the event that is selected, if it is in sight.
	zoomBy(factor) {
		const [from, to] = this.range;
		const time = this.selected >= 0 ? this.conn.time[this.selected] : -1;
		this.zoomAt(time >= from && time <= to ? time : (from + to) / 2, factor);
	}

	pan(part) {
		const step = (this.range[1] - this.range[0]) * part;
		this.zoomTo(this.range[0] + step, this.range[1] + step);
	}

	reset() { this.zoomTo(...this.whole()); }

	// The events of the list, of all times.
	listed() {
		this._listed ??= this.conn.own[this.end].filter((i) => this.kinds.has(kindOf(this.conn, i)));
		return this._listed;
	}

	toggle(kind) {
		if (!this.kinds.delete(kind))
			this.kinds.add(kind);
		this._listed = null;
		this.update("kinds");
	}

	select(i) {
		if (i === undefined || i < 0)
			return;
		this.selected = i;
		const time = this.conn.time[i];
		const [from, to] = this.range;
		if (time < from || time > to) {
			const half = (to - from) / 2;
			this.zoomTo(time - half, time + half);
		}
		this.update("selected");
		$("said").textContent = $("panel").querySelector("h3").textContent;
	}

	step(by) {
		const list = this.listed();
		if (!list.length)
			return;
		const at = lastBefore(list, (i) => i, this.selected);
		const exact = list[at] === this.selected;
		const k = by < 0 && !exact ? at + 1 + by : at + by;
		this.select(list[Math.max(0, Math.min(k, list.length - 1))]);
	}

	// From a loss to its repair, with a little on both sides.
	showLoss(story) {
		const end = story.repaired >= 0 ? this.conn.time[story.repaired] : story.time;
		const margin = Math.max((end - story.time) * 0.15, 0.002);
		this.range = [Math.max(0, story.time - margin), Math.min(end + margin, this.latest())];
		this.selected = story.lost;
		this.update("range");
		this.select(story.lost);
		this.reveal();
	}

	// Where charts and panel are, if the page stands elsewhere.
	reveal() {
		const seen = $("panel").getBoundingClientRect();
		if (seen.top < 0 || seen.top > innerHeight * 0.7)
			$(matchMedia("(max-width: 1000px)").matches ? "selected" : "desk").scrollIntoView();
	}

	// Losses of the way, or where the trace has one end what was taken for one.
	stories() {
		const found = losses(this.conn, this.end);
		return found.length ? found : reactions(this.conn, this.end)
			.map((r) => ({ lost: r.record, time: r.time, repaired: r.record }));
	}

	nextLoss(direction) {
		const stories = this.stories();
		const now = this.selected;
		const found = direction > 0 ? stories.find((s) => s.lost > now)
			: stories.findLast((s) => s.lost < now);
		if (found)
			this.showLoss(found);
		else
			$("said").textContent = t("no_more_losses");
	}

	// What the charts show as a square: what followed, or of a SYN the timer.
	firstTimeout() {
		const { conn, end } = this;
		const own = conn.own[end];
		return own.find((i) => conn.event(i) === "cwnd" && conn.cause(i) === TIMEOUT) ??
			own.find((i) => isTimeout(conn, i));
	}

	// With the time that the timer ran.
	showTimeout() {
		const i = this.firstTimeout();
		const before = this.conn.prev[i] < 0 ? i : this.conn.prev[i];
		const ran = this.conn.col.rto[before] / 1e6;
		this.selected = i;
		this.zoomTo(this.conn.time[i] - ran * 1.3, this.conn.time[i] + ran * 0.3);
		this.select(i);
		this.reveal();
	}

	controls() {
		const { conn } = this;
		const none = !this.stories().length;
		$("first-timeout").hidden = this.firstTimeout() === undefined;
		for (const button of document.querySelectorAll("[data-do^=loss]"))
			button.disabled = none;
		$("first-loss").hidden = none;
		$("ends").replaceChildren(...[0, 1].map((e) => {
			const input = el("input", { type: "radio", name: "end", value: e,
				onchange: () => this.show(e) });
			input.checked = e === this.end;
			input.disabled = !conn.ends[e].traced;
			return el("label", {}, input, ` ${conn.name(e)}`);
		}));
	}
}

function translate({ source }) {
	document.documentElement.lang = spoken() === "zh" ? "zh-CN" : "en";
	for (const place of document.querySelectorAll("[data-t]"))
		place.textContent = t(place.dataset.t);
	for (const place of document.querySelectorAll("[data-label]"))
		place.setAttribute("aria-label", t(place.dataset.label));
	document.querySelector("[data-do=language]").lang = spoken() === "zh" ? "en" : "zh-CN";
	document.title = t("title", { source });
}

function choosePair(app) {
	const select = $("pair");
	select.replaceChildren(...app.data.pairs.map((pair, k) => el("option", { value: k },
		pair.ends.map((end) => end.local).join(" ↔ "))));
	select.closest("label").hidden = app.data.pairs.length < 2;
	select.addEventListener("change", () => app.open(+select.value));
}

const ACTIONS = {
	earlier: (app) => app.pan(-0.4), later: (app) => app.pan(0.4),
	closer: (app) => app.zoomBy(0.5), wider: (app) => app.zoomBy(2),
	reset: (app) => app.reset(), previous: (app) => app.step(-1), next: (app) => app.step(1),
	timeout: (app) => app.showTimeout(), loss: (app) => app.nextLoss(1), "loss-back": (app) => app.nextLoss(-1),
	language: (app) => talk(app, spoken() === "zh" ? "en" : "zh"),
	theme: (app) => paint(app, themeNow() === "dark" ? "light" : "dark"),
	help: () => $("help").showModal(), "close-help": () => $("help").close(),
	other: (app) => { if (app.conn.ends[1 - app.end].traced) app.show(1 - app.end); },
	print: () => window.print(),
};
const KEYS = { n: "next", N: "next", p: "previous", P: "previous", l: "loss", L: "loss-back",
	"+": "closer", "=": "closer", "-": "wider", 0: "reset", e: "other", E: "other", "?": "help" };

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const themeOfSystem = () => systemDark.matches ? "dark" : "light";
const themeNow = () => document.documentElement.dataset.theme;

function talk(app, language) {
	speak(language);
	translate(app.data);
	app.update("all");
}

function paint(app, theme) {
	document.documentElement.dataset.theme = theme;
	app.update("all");
}

function listen(app) {
	document.addEventListener("click", (event) => {
		const action = event.target.closest("[data-do]")?.dataset.do;
		if (action)
			ACTIONS[action](app);
	});
	document.addEventListener("keydown", (event) => {
		const typing = event.target.closest("input:not([type=checkbox]):not([type=radio]), select, dialog");
		if (typing || !$("keys").checked || event.ctrlKey || event.altKey || event.metaKey || !(event.key in KEYS))
			return;
		event.preventDefault();
		ACTIONS[KEYS[event.key]](app);
	});
	systemDark.addEventListener("change", () => paint(app, themeOfSystem()));
}

async function start() {
	document.documentElement.dataset.theme = themeOfSystem();
	learn(embedded("words"));
	const data = embedded("data");
	const wanted = data.language ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
	speak(wanted);
	translate(data);
	const app = new App(data);
	choosePair(app);
	await app.open(0);
	listen(app);
	globalThis.chalk = app;
	document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
	const place = $("story");
	place.textContent = "";
	// the words may be what is missing
	place.append(el("p", { class: "warn", lang: "en" },
		`This report cannot be shown: ${error.message}. It needs a browser of 2023 or later.`),
	el("p", { class: "warn", lang: "zh-CN" },
		`无法显示此报告：${error.message}。需要 2023 年或以后的浏览器。`));
	throw error;
});
