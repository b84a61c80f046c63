// SPDX-License-Identifier: GPL-2.0
// dom.js - elements made in a line, and the keys of lists. Owns nothing.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith("on"))
			element.addEventListener(name.slice(2), value);
		else if (value !== undefined && value !== false)
			element.setAttribute(name, value);
	}
	element.append(...children.filter((c) => c !== null && c !== undefined));
	return element;
}

export function el(tag, attributes = {}, ...children) {
	return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
	return filled(document.createElementNS(SVG, tag), attributes, children);
}

// Arrow keys walk through a list; call walk(step), or walk(null) to choose.
export function listKeys(element, walk) {
	const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10,
		Home: -Infinity, End: Infinity };
	element.addEventListener("keydown", (event) => {
		if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey)
			return;
		event.preventDefault();
		event.stopPropagation();
		walk(steps[event.key]);
	});
}
