// SPDX-License-Identifier: GPL-2.0
// words.js - the language of the page. Owns the choice, and how times, sizes
// and rates are written; the words are in words.LANGUAGE.json.

const tables = {};
let language = "en";

export function learn(words) { Object.assign(tables, words); }
export function speak(name) { language = tables[name] ? name : "en"; }
export function spoken() { return language; }

// The text of a key, {name} replaced.
export function t(key, values = {}) {
	const text = tables[language].words[key] ?? tables.en.words[key];
	if (text === undefined)
		throw new Error(`no text for ${key}`);
	return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// Title and explanation: of what = "causes" or "kinds", a list of the two.
export function explain(what, name) {
	return tables[language].explain[what][name] ?? [name, ""];
}
export function stateText(name) {
	return tables[language].explain.states[name] ?? "";
}

export function count(n) { return n.toLocaleString("en"); }

export function bytes(n) {
	if (n === null || n === undefined || Number.isNaN(n))
		return "–";
	if (n < 1024)
		return `${Math.round(n)} B`;
	if (n < 1 << 20)
		return `${trim(n / 1024, 1)} KiB`;
	return `${trim(n / (1 << 20), 2)} MiB`;
}

// A change of a size; a unit that both have is said once.
export function fromTo(from, to) {
	const [one, two] = [bytes(from), bytes(to)];
	const unit = / \w+$/.exec(two)[0];
	return `${one.endsWith(unit) ? one.slice(0, -unit.length) : one} → ${two}`;
}

export function rate(bits) {
	if (bits === null || bits === undefined)
		return "–";
	if (bits >= 1e6)
		return `${trim(bits / 1e6, 2)} Mbit/s`;
	return bits >= 1e3 ? `${trim(bits / 1e3, 1)} kbit/s` : `${Math.round(bits)} bit/s`;
}

// A length of time given in seconds.
export function duration(s) {
	if (s === 0)
		return "0 s";
	if (s < 1e-3)
		return `${trim(s * 1e6, 1)} µs`;
	return s < 1 ? `${trim(s * 1e3, 1)} ms` : `${trim(s, 2)} s`;
}

// A moment; digits as the range that is shown needs them.
export function moment(s, range = 0) {
	const digits = range > 0 && range < 0.01 ? 6 : 4;
	return `${s.toFixed(digits)} s`;
}

function trim(value, digits) {
	return value.toFixed(digits).replace(/\.?0+$/, "");
}

const FLAGS = { S: "SYN", F: "FIN", R: "RST", P: "PSH", U: "URG", E: "ECE", C: "CWR", A: "ACK" };

export function flagNames(flags) {
	const found = [...flags].filter((f) => FLAGS[f] && f !== "P");
	return found.map((f) => FLAGS[f]).join("+");
}

// A segment as one writes it: the flags, and the numbers that matter.
export function segment(conn, i) {
	const flags = conn.flags(i), len = conn.col.len[i];
	const parts = [flagNames(flags)];
	if (len || /[SFR]/.test(flags))
		parts.push(`seq=${conn.seq(i)}`);
	if (flags.includes("A"))
		parts.push(`ack=${conn.ack(i)}`);
	if (len)
		parts.push(`len=${len}`);
	return parts.join(" ");
}

// The same where there is little room: what goes without saying is left out.
export function shortSegment(conn, i) {
	const len = conn.col.len[i];
	if (/[SFRU]/.test(conn.flags(i)))
		return segment(conn, i);
	return len ? `seq=${conn.seq(i)} len=${len}` : `ACK ${conn.ack(i)}`;
}

// The clause with the number of the RFC and its section, for a link.
export function clauseLink(clause) {
	const found = /^RFC (\d+)(?: ([\d.]+))?$/.exec(clause);
	if (!found)
		return null;
	const section = found[2] ? `#section-${found[2]}` : "";
	return `https://www.rfc-editor.org/rfc/rfc${found[1]}${section}`;
}

export function clauseText(clause) {
	return clause.replace(/^(RFC \d+) ([\d.]+)$/, "$1 §$2");
}
