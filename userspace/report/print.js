// SPDX-License-Identifier: GPL-2.0
// print.js - two pages of paper, to hand in: what happened with its figures and
// charts; the ladder of what matters and the losses. Owns what has to change
// for that before the browser prints, and back afterwards.

// A4 without its margins (report.css, @page), in pixels of CSS, and some room
// for what rounding adds.
const HEIGHT = (297 - 2 * 12) * 96 / 25.4 - 12;

const $ = (id) => document.getElementById(id);

export class Print {
	constructor(app, { charts, ladder }) {
		Object.assign(this, { app, charts, ladder });
		addEventListener("beforeprint", () => this.begin());
		addEventListener("afterprint", () => this.end());
	}

	begin() {
		const { app } = this;
		const root = document.documentElement;
		if (app.printing)
			return;
		app.printing = true;
		this.theme = root.dataset.theme;
		root.dataset.theme = "light";
		root.classList.add("printing");
		app.update("all");
		const top = document.body.getBoundingClientRect().top;
		const page = $("charts").getBoundingClientRect();
		this.charts.fit(HEIGHT - (page.top - top));
		const rest = $("losses").getBoundingClientRect().bottom - $("ladder").getBoundingClientRect().top -
			this.ladder.scroll.offsetHeight;
		this.ladder.fit(HEIGHT - rest);
	}

	end() {
		const { app } = this;
		if (!app.printing)
			return;
		app.printing = false;
		document.documentElement.classList.remove("printing");
		document.documentElement.dataset.theme = this.theme;
		app.update("all");
	}
}
