// SPDX-License-Identifier: GPL-2.0
// states.js - the eleven states of RFC 9293 (figure 5) and the arrows between
// them, with the way that an end took. Owns the drawing and its places.
import { finOf, path } from "./model.js";
import { el, svg } from "./dom.js";
import { explain, moment, stateText, t } from "./words.js";

const WIDTH = 640, HEIGHT = 500, BOX = 116, TALL = 34;
const PLACES = {
	CLOSED: [320, 30], LISTEN: [320, 110], SYN_SENT: [540, 110], SYN_RCVD: [100, 110],
	ESTABLISHED: [320, 200], FIN_WAIT_1: [100, 285], CLOSE_WAIT: [540, 285],
	CLOSING: [320, 350], FIN_WAIT_2: [100, 380], LAST_ACK: [540, 380], TIME_WAIT: [320, 450],
};
// From, to, the word beside the arrow.
const ARROWS = [
	["CLOSED", "LISTEN", "listen"], ["CLOSED", "SYN_SENT", "connect"],
	["LISTEN", "SYN_RCVD", "rcv_syn"], ["LISTEN", "SYN_SENT", ""],
	["SYN_SENT", "SYN_RCVD", ""], ["SYN_SENT", "ESTABLISHED", "rcv_synack"],
	["SYN_RCVD", "ESTABLISHED", "rcv_ack"], ["SYN_RCVD", "FIN_WAIT_1", "close"],
	["ESTABLISHED", "FIN_WAIT_1", "close"], ["ESTABLISHED", "CLOSE_WAIT", "rcv_fin"],
	["FIN_WAIT_1", "FIN_WAIT_2", "rcv_ack"], ["FIN_WAIT_1", "CLOSING", "rcv_fin"],
	["FIN_WAIT_1", "TIME_WAIT", ""], ["FIN_WAIT_2", "TIME_WAIT", "rcv_fin"],
	["CLOSING", "TIME_WAIT", "rcv_ack"], ["CLOSE_WAIT", "LAST_ACK", "close"],
	["LAST_ACK", "CLOSED", "rcv_ack"], ["TIME_WAIT", "CLOSED", "two_msl"],
];
// Ways that go round what stands between: the path, its head (place and
// angle), and the place of the word.
const ROUND = {
	"LAST_ACK CLOSED": { d: "M598,380 H628 V30 H380", x: 378, y: 30, angle: 180, mid: [500, 24] },
	"TIME_WAIT CLOSED": { d: "M262,455 H18 V30 H260", x: 262, y: 30, angle: 0, mid: [140, 24] },
	"SYN_SENT SYN_RCVD": { d: "M540,127 V145 H100 V129", x: 100, y: 127, angle: -90, mid: [320, 141] },
};

// The states that close() leads to; the FIN may leave much later.
const CLOSED_HERE = new Set(["FIN_WAIT_1", "LAST_ACK"]);

// Words that find no room beside the middle of their arrow.
const WORDS = { "LISTEN SYN_RCVD": [211, 84] };

export class States {
	constructor(app, picture, list) {
		this.app = app;
		this.picture = picture;
		this.list = list;
	}

	update(what) {
		if (what !== "all" && what !== "selected")
			return;
		const { conn, end } = this.app;
		this.steps = path(conn, end);
		const taken = new Map();
		this.steps.forEach((i, k) => {
			const arrow = `${conn.change("old", i)} ${conn.change("new", i)}`;
			if (!taken.has(arrow))
				taken.set(arrow, { i, k });
		});
		this.draw(taken);
		this.fill();
	}

	draw(taken) {
		const drawn = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "states-svg",
			role: "group", "aria-label": t("states_of", { name: this.app.conn.name(this.app.end) }) });
		const known = new Set(ARROWS.map(([a, b]) => `${a} ${b}`));
		const more = [...taken.keys()].filter((arrow) => !known.has(arrow))
			.map((arrow) => [...arrow.split(" "), ""])
			.filter(([a, b]) => PLACES[a] && PLACES[b]);
		const arrows = [...ARROWS, ...more].map(([a, b, word]) => [a, b, word, taken.get(`${a} ${b}`)]);
		arrows.sort((x, y) => !!x[3] - !!y[3]);
		drawn.append(...arrows.map((a) => this.arrow(...a)));
		const visited = new Set([...taken.keys()].flatMap((arrow) => arrow.split(" ")));
		drawn.append(...Object.keys(PLACES).map((name) => box(name, visited.has(name))));
		this.picture.replaceChildren(drawn);
	}

	arrow(from, to, word, step) {
		const { conn, selected } = this.app;
		const { d, x, y, angle, mid } = way(from, to);
		const group = svg("g", { class: `arrow${step ? " taken" : ""}` +
			`${step && step.i === selected ? " chosen" : ""}` },
		svg("path", { d, class: "reach" }), svg("path", { d, class: "wire" }),
		svg("path", { class: "head", d: "M0,0l-9,-4v8z",
			transform: `translate(${x} ${y}) rotate(${angle})` }));
		const text = [step ? `${step.k + 1}` : "", word ? t(`arrow_${word}`) : ""].filter(Boolean).join(" · ");
		const place = WORDS[`${from} ${to}`] ?? mid;
		if (text)
			group.append(svg("text", { x: place[0], y: place[1], "text-anchor": "middle" }, text));
		if (step) {
			group.setAttribute("role", "button");
			group.setAttribute("tabindex", 0);
			group.setAttribute("aria-label", `${text}, ${from} → ${to}, ${moment(conn.time[step.i])}, ` +
				explain("causes", conn.cause(step.i))[0]);
			const choose = () => this.app.select(step.i);
			group.addEventListener("click", choose);
			group.addEventListener("keydown", (event) => {
				if (event.key === "Enter" || event.key === " ") {
					event.preventDefault();
					choose();
				}
			});
		}
		return group;
	}

	fill() {
		const { conn, selected } = this.app;
		this.list.replaceChildren(...this.steps.map((i) => el("li", {},
			el("button", { type: "button", class: "link", "aria-pressed": i === selected,
				onclick: () => this.app.select(i) },
			el("b", {}, `${conn.change("old", i)} → ${conn.change("new", i)}`),
			` ${moment(conn.time[i])}, ${explain("causes", conn.cause(i))[0]}`),
			el("small", {}, stateText(conn.change("new", i)) + this.fin(i)))));
	}

	// Of the state that close() leads to: when the FIN really left.
	fin(i) {
		const { conn, end } = this.app;
		if (!CLOSED_HERE.has(conn.change("new", i)))
			return "";
		const sent = finOf(conn, end);
		return sent < 0 ? t("fin_never") : t("fin_left", { when: moment(conn.time[sent]) });
	}
}

function box(name, visited) {
	const [x, y] = PLACES[name];
	return svg("g", { class: `state${visited ? " visited" : ""}` },
		svg("title", {}, stateText(name)),
		svg("rect", { x: x - BOX / 2, y: y - TALL / 2, width: BOX, height: TALL, rx: 6 }),
		svg("text", { x, y: y + 5, "text-anchor": "middle" }, name));
}

// Where a line from the middle of a box towards a point leaves the box.
function edge([x, y], [tx, ty]) {
	const dx = tx - x, dy = ty - y;
	const scale = Math.min(BOX / 2 / Math.abs(dx || 1e-9), TALL / 2 / Math.abs(dy || 1e-9));
	return [x + dx * scale, y + dy * scale];
}

function way(from, to) {
	const round = ROUND[`${from} ${to}`];
	if (round)
		return round;
	const a = PLACES[from], b = PLACES[to];
	const [x1, y1] = edge(a, b), [x2, y2] = edge(b, a);
	return { d: `M${x1},${y1}L${x2},${y2}`, x: x2, y: y2,
		angle: Math.atan2(y2 - y1, x2 - x1) * 180 / Math.PI,
		mid: [(x1 + x2) / 2, (y1 + y2) / 2 + 4] };
}
