"use strict";
// Code before and after, side by side or inline, with syntax colours and the words that differ.

// A cell is [text, colours, marks, cut]: see Cell in windows.py. Offsets count code points.
function codeLine(cell, mark) {
  const [text, colours = "", marks = [], cut = []] = cell;
  const chars = /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
  const styles = [];
  for (const [, length, style] of colours.matchAll(/(\d+)(\D)/g)) {
    const end = (styles.at(-1)?.end || 0) + Number(length);
    styles.push({ end, style });
  }
  const edges = new Set([0, chars.length, ...marks, ...styles.map(({ end }) => end)]);
  const sorted = [...edges].filter((edge) => edge <= chars.length).sort((a, b) => a - b);
  const line = element("span", { class: "line" });
  if (cut[0]) line.append(cutMark(cut[0]));
  let style = 0;
  for (let index = 0; index + 1 < sorted.length; index += 1) {
    const [start, end] = [sorted[index], sorted[index + 1]];
    while (style < styles.length && styles[style].end <= start) style += 1;
    const part = chars.slice(start, end);
    const classes = [];
    if (style < styles.length && styles[style].style !== "-") classes.push(`t-${styles[style].style}`);
    if (isMarked(marks, start)) classes.push(mark);
    const nodes = visible(typeof part === "string" ? part : part.join(""));
    if (classes.length) line.append(element("span", { class: classes.join(" ") }, ...nodes));
    else line.append(...nodes);
  }
  if (cut[1]) line.append(cutMark(cut[1]));
  return line;
}

function isMarked(marks, offset) {
  for (let index = 0; index < marks.length; index += 2) {
    if (marks[index] <= offset && offset < marks[index + 1]) return true;
  }
  return false;
}

const cutMark = (count) =>
  element("span", { class: "cut" }, ` ⋯ ${count.toLocaleString("en")} characters ⋯ `);

// A window is {line, rows, hidden}; a row is [cell] where both sides are the same, else [before, after],
// and a number stands for so many unchanged lines that are folded.
function codeTable(shown, sideBySide) {
  const body = element("tbody");
  const numbers = { old: shown.line, new: shown.line };
  const changed = shown.rows.some((row) => row.length === 2);
  if (!changed) for (const [cell] of shown.rows) body.append(plainRow(cell, numbers.old++));
  else if (sideBySide) for (const row of shown.rows) body.append(sideBySideRow(row, numbers));
  else for (const row of inlineOrder(shown.rows)) body.append(inlineRow(row, numbers));
  if (shown.hidden) {
    body.append(foldedRow("⋯ and more ⋯"));
  }
  return element("table", { class: sideBySide && changed ? "code two" : "code" }, body);
}

const plainRow = (cell, number) =>
  element("tr", {}, element("td", { class: "number" }, String(number)), element("td", { class: "text" }, codeLine(cell, "focus")));

const foldedRow = (text) => element("tr", {}, element("td", { colspan: 4, class: "hidden-lines" }, text));

function folded(count, numbers) {
  numbers.old += count;
  numbers.new += count;
  return foldedRow(`⋯ ${plural(count, "line")} ⋯`);
}

function sideBySideRow(row, numbers) {
  if (typeof row === "number") return folded(row, numbers);
  const [before, after] = row.length === 1 ? [row[0], row[0]] : row;
  const changed = row.length === 2;
  return element(
    "tr",
    {},
    ...side(before, changed ? "gone" : "", changed ? "word" : "focus", before && numbers.old++),
    ...side(after, changed ? "new" : "", changed ? "word" : "focus", after && numbers.new++),
  );
}

function side(cell, kind, mark, number) {
  if (!cell) return [element("td", { class: "number none" }), element("td", { class: "none" })];
  const sign = { gone: "−", new: "+" }[kind] || "";
  return [
    element("td", { class: `number ${kind}` }, String(number)),
    element("td", { class: `text ${kind}`, "data-sign": sign }, codeLine(cell, mark)),
  ];
}

// All lines that go of a run of changed ones, then all that come: as a diff is read.
function* inlineOrder(rows) {
  let run = [];
  for (const row of [...rows, null]) {
    if (row?.length === 2) {
      run.push(row);
      continue;
    }
    for (const [before] of run) if (before) yield { cell: before, kind: "gone" };
    for (const [, after] of run) if (after) yield { cell: after, kind: "new" };
    run = [];
    if (typeof row === "number") yield { count: row };
    else if (row !== null) yield { cell: row[0], kind: "" };
  }
}

function inlineRow({ cell, kind, count }, numbers) {
  if (count) return folded(count, numbers);
  const old = kind === "new" ? "" : String(numbers.old++);
  const now = kind === "gone" ? "" : String(numbers.new++);
  const sign = { gone: "−", new: "+" }[kind] || "";
  return element(
    "tr",
    {},
    element("td", { class: `number ${kind}` }, old),
    element("td", { class: `number ${kind}` }, now),
    element("td", { class: `text ${kind}`, "data-sign": sign }, codeLine(cell, kind ? "word" : "focus")),
  );
}

// Plain code without a file, such as a rule's example.
const codeBlock = (code, kind) =>
  element("pre", { class: kind, tabindex: "0" }, ...code.split("\n").flatMap((line) => [...visible(line), "\n"]));
