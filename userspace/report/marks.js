// SPDX-License-Identifier: GPL-2.0
// marks.js - colours of the page, and the signs of loss and repair: their shapes
// on a canvas and as characters in a legend.

export function color(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function sign(style, path, fill) {
	return (ctx, x, y, r) => {
		ctx.save();
		ctx.translate(x, y);
		ctx.scale(r, r);
		ctx.strokeStyle = ctx.fillStyle = style;
		ctx.setLineDash([]);
		ctx.lineWidth = 2;
		ctx.beginPath();
		path(ctx);
		if (fill)
			ctx.fill();
		else
			ctx.stroke();
		ctx.restore();
	};
}

const SHAPES = {
	cross: (ctx) => { ctx.moveTo(-4, -4); ctx.lineTo(4, 4); ctx.moveTo(-4, 4); ctx.lineTo(4, -4); },
	triangle: (ctx) => { ctx.moveTo(0, 5); ctx.lineTo(-6, -5); ctx.lineTo(6, -5); ctx.closePath(); },
	square: (ctx) => { ctx.rect(-5, -5, 10, 10); },
	dot: (ctx) => { ctx.arc(0, 0, 3, 0, 7); },
};
export const SIGNS = { lost: "✕", third: "▼", timeout: "■", again: "●" };

export function signs() {
	return {
		lost: sign(color("lost"), SHAPES.cross, false),
		third: sign(color("third"), SHAPES.triangle, true),
		timeout: sign(color("timeout"), SHAPES.square, true),
		again: sign(color("again"), SHAPES.dot, true),
	};
}

