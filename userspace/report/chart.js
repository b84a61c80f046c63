// SPDX-License-Identifier: GPL-2.0
// chart.js - one chart: lines by uPlot, a legend, marks to click, and what mouse
// and keys do to it. Owns all that the four charts share.
import { nearest } from "./model.js";
import { color } from "./marks.js";
import { t } from "./words.js";

const REACH = 12;
const UNITS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const BYTE_STEPS = [0, 10, 20].flatMap((shift) => UNITS.map((n) => n * 2 ** shift));

// The lines of a chart: its word, colour and how a value is written.
export function line(word, name, show, options = {}) {
	return { word, name, show, ...options };
}

const steps = () => uPlot.paths.stepped({ align: 1 });

export class Chart {
	constructor(app, place, title, height, lines) {
		this.app = app;
		this.conn = app.conn;
		this.title = title;
		this.lines = lines;
		this.height = height;
		this.box = place.appendChild(document.createElement("figure"));
		this.box.className = "chart";
		this.legend();
		this.canvas = this.box.appendChild(document.createElement("div"));
		this.canvas.className = "plot";
		this.canvas.tabIndex = 0;
		this.canvas.setAttribute("role", "group");
		this.canvas.setAttribute("aria-label", `${t(title)}. ${t("chart_keys")}`);
	}

	legend() {
		const head = this.box.appendChild(document.createElement("figcaption"));
		const name = head.appendChild(document.createElement("h3"));
		name.textContent = t(this.title);
		const list = head.appendChild(document.createElement("ul"));
		list.className = "legend";
		this.values = this.lines.map((l) => {
			const item = list.appendChild(document.createElement("li"));
			const swatch = item.appendChild(document.createElement("i"));
			const dash = !l.dash ? "" : l.dash[0] > 2 ? " dashed" : " dotted";
			swatch.className = `swatch ${l.kind ?? "line"}${dash}`;
			swatch.style.setProperty("--swatch", `var(--${l.name})`);
			if (l.sign)
				swatch.textContent = l.sign;
			item.append(` ${t(l.word)} `);
			return item.appendChild(document.createElement("b"));
		});
	}

	make(data) {
		const axis = {
			stroke: color("ink-soft"), grid: { stroke: color("grid"), width: 1 },
			ticks: { stroke: color("grid"), width: 1 }, font: "12px system-ui, sans-serif",
		};
		const drawn = this.lines.filter((l) => !l.sign && !l.shade);
		this.drawn = drawn;
		this.plot = new uPlot({
			width: this.canvas.clientWidth || 600, height: this.height,
			padding: [8, 26, 0, 0], legend: { show: false },
			scales: { x: { time: false, range: (u, min, max) => [min, max] },
				y: { range: (u) => this.range(u) } },
			axes: [{ ...axis, values: (u, ticks) => ticks.map((v) => `${+v.toFixed(6)} s`) },
				{ ...axis, size: 88, ...this.yAxis(),
					values: (u, ticks) => ticks.map((v) => drawn[0].show(v)) }],
			series: [{}, ...drawn.map((l) => ({
				stroke: color(l.name), width: l.width ?? 1.6, dash: l.dash,
				fill: l.fill ? color(l.fill) : undefined,
				paths: l.points ? () => null : steps(),
				points: { show: !!l.points, size: 4, fill: color(l.name), stroke: color(l.name) },
				spanGaps: false,
			}))],
			cursor: { drag: { x: true, y: false, setScale: false },
				sync: { key: "chalk", setSeries: false }, points: { show: false }, y: false },
			hooks: {
				drawAxes: [(u) => this.under(u)], draw: [(u) => this.over(u)],
				setCursor: [(u) => this.show(u.cursor.idx)],
				setSelect: [(u) => this.selected(u)],
			},
		}, data, this.canvas);
		this.plot.over.addEventListener("click", (event) => this.clicked(event));
		this.plot.over.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
		this.canvas.addEventListener("keydown", (event) => this.key(event));
	}

	yAxis() { return { incrs: BYTE_STEPS }; }

	// From 0 to the highest value that is in sight.
	range(u) {
		const [min, max] = this.app.range;
		let top = 0;
		this.drawn.forEach((l, k) => {
			if (!l.beyond)
				top = Math.max(top, highest(u.data[0], u.data[k + 1], min, max));
		});
		return [0, (top || 1) * 1.08];
	}

	show(idx) {
		this.drawn.forEach((l, k) => {
			const value = idx === null || idx === undefined ? null
				: this.plot?.data[k + 1][idx];
			this.values[this.lines.indexOf(l)].textContent =
				value === null || value === undefined ? "" : l.show(value);
		});
	}

	selected(u) {
		if (u.select.width < 4)
			return;
		const from = u.posToVal(u.select.left, "x");
		const to = u.posToVal(u.select.left + u.select.width, "x");
		this.dragged = true;
		u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
		this.app.zoomTo(from, to);
	}

	clicked(event) {
		if (this.dragged) {
			this.dragged = false;
			return;
		}
		this.canvas.focus();
		const place = { x: event.offsetX, y: event.offsetY };
		const found = this.markAt(place) ??
			nearest(this.conn, this.app.listed(), this.plot.posToVal(place.x, "x"));
		if (found !== undefined)
			this.app.select(found);
	}

	markAt({ x, y }) {
		let best, least = REACH;
		for (const mark of this.marks ?? []) {
			const distance = Math.hypot(mark.x - x, mark.y - y);
			if (distance < least)
				[best, least] = [mark.record, distance];
		}
		return best;
	}

	wheel(event) {
		if (!event.ctrlKey && !this.canvas.contains(document.activeElement))
			return;
		event.preventDefault();
		this.app.zoomAt(this.plot.posToVal(event.offsetX, "x"), event.deltaY < 0 ? 0.7 : 1 / 0.7);
	}

	key(event) {
		const pan = { ArrowLeft: -0.2, ArrowRight: 0.2 }[event.key];
		if (pan === undefined || event.ctrlKey || event.altKey || event.metaKey)
			return;
		event.preventDefault();
		this.app.pan(pan);
	}

	resize() {
		const width = this.canvas.clientWidth;
		if (width && width !== this.plot.width)
			this.plot.setSize({ width, height: this.plot.height });
	}

	captionHeight() {
		return this.canvas.offsetTop - this.box.offsetTop + parseFloat(getComputedStyle(this.box).marginBottom);
	}

	// To a part of its usual height.
	shrink(part) {
		this.plot.setSize({ width: this.canvas.clientWidth, height: Math.round(this.height * part) });
	}

	zoom([min, max]) { this.plot.setScale("x", { min, max }); }
	redraw() { this.plot.redraw(false, false); }
	destroy() { this.plot.destroy(); this.box.remove(); }

	under() {}

	over(u) {
		const selected = this.app.selected;
		if (selected >= 0)
			upright(u, this.conn.time[selected], color("focus"), 1.5);
	}

	// A sign at a place of the chart, to be found again by a click.
	mark(u, record, value, draw, at = this.conn.time[record]) {
		if (at < u.scales.x.min || at > u.scales.x.max)
			return;
		const ratio = devicePixelRatio;
		const x = u.valToPos(at, "x", true);
		const y = value === null ? u.bbox.top + u.bbox.height - 7 * ratio
			: Math.max(u.valToPos(value, "y", true), u.bbox.top + 7 * ratio);
		draw(u.ctx, x, y, ratio);
		this.marks.push({ record, x: (x - u.bbox.left) / ratio, y: (y - u.bbox.top) / ratio });
	}
}

export function highest(times, values, min, max) {
	let top = 0, before = 0;
	for (let i = 0; i < times.length; i++) {
		const value = values[i] ?? 0;
		if (times[i] < min) {
			before = value;
		} else if (times[i] <= max) {
			top = Math.max(top, value, before);
			before = 0;
		}
	}
	return Math.max(top, before);
}

function upright(u, time, style, width) {
	const x = u.valToPos(time, "x", true);
	if (x < u.bbox.left || x > u.bbox.left + u.bbox.width)
		return;
	u.ctx.save();
	u.ctx.strokeStyle = style;
	u.ctx.setLineDash([]);
	u.ctx.lineWidth = width * devicePixelRatio;
	u.ctx.beginPath();
	u.ctx.moveTo(x, u.bbox.top);
	u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
	u.ctx.stroke();
	u.ctx.restore();
}

