"use strict";
// What porter found, and the small helpers that all views share. Text of the source only ever
// becomes a text node: nothing here, or in the other files, parses it as HTML.

const report = JSON.parse(document.getElementById("data").textContent);
const findings = [];
const hunks = new Map(); // id -> its findings
for (const file of report.files) {
  for (const finding of file.findings) {
    finding.index = findings.length;
    finding.file = file;
    finding.changes = finding.after !== null;
    findings.push(finding);
    if (!hunks.has(finding.hunk)) hunks.set(finding.hunk, []);
    hunks.get(finding.hunk).push(finding);
  }
}

const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// What shows nothing, turns text around, or looks like a plain space and is none.
const UNSEEN =
  /(?!\t)[\p{C}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]|[^\S \t]/gu;

function codePoint(char) {
  return `⟨U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

// The text with what is unseen as its code point: for attributes, and where no colour is needed.
const visibleText = (text) => text.replace(UNSEEN, codePoint);

// The same as nodes, the code points set off from the text.
function visible(text) {
  const nodes = [];
  let start = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (match.index > start) nodes.push(text.slice(start, match.index));
    nodes.push(element("span", { class: "unseen" }, codePoint(match[0])));
    start = match.index + match[0].length;
  }
  nodes.push(text.slice(start));
  return nodes;
}

const oneLine = (code) => code.trim().replace(/\s*[\r\n]+\s*/g, " ⏎ ");
const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const place = (finding) => `${finding.file.path}:${finding.line}`;
