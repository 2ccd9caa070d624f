"use strict";
// The list of findings: filtered, and with only those rows in the page that are in view.

const ROW = { file: 30, finding: 46 }; // pixels; review.css has the same
const MARKS = { accepted: "✓", refused: "✕", undecided: "" };
const VERDICTS = ["exact", "modified", "no-op", "review", "unsupported"];
const EFFORTS = ["none", "low", "medium", "high"];

const filters = { text: "", verdicts: new Set(), effort: "", status: "", decision: "", rule: "", path: "" };
let shown = []; // the findings that fit
let rows = []; // {file} or {finding}, each with its top
let height = 0;
let position = 0; // in shown

const current = () => shown[position];

function fits(finding) {
  const { decision, note } = decisions.of(finding.hunk);
  return (
    (!filters.verdicts.size || filters.verdicts.has(finding.verdict)) &&
    (!filters.effort || finding.effort === filters.effort) &&
    (!filters.status || finding.status === filters.status) &&
    (!filters.rule || finding.rule === filters.rule) &&
    (!filters.decision || (filters.decision === "note" ? note !== "" : decision === filters.decision)) &&
    (!filters.path || finding.file.path.toLowerCase().includes(filters.path)) &&
    (!filters.text || filters.text.every((word) => searched(finding).includes(word) || note.toLowerCase().includes(word)))
  );
}

function searched(finding) {
  finding.searched ??= [
    finding.file.path, finding.rule, report.rules[finding.rule].title, finding.before, finding.after, finding.message,
  ].join("\n").toLowerCase();
  return finding.searched;
}

// Keeps the current finding where it still fits, else the next one that does.
function refilter() {
  const before = current();
  shown = findings.filter(fits);
  const index = before ? shown.findIndex((finding) => finding.index >= before.index) : 0;
  position = Math.max(index, 0);
  layOut();
  byId("shown").textContent =
    shown.length === findings.length
      ? plural(shown.length, "finding")
      : `${shown.length.toLocaleString("en")} of ${plural(findings.length, "finding")}`;
  byId("clear").hidden = shown.length === findings.length && !isFiltered();
  byId("accept-shown").disabled = !shown.some((finding) => finding.changes);
  byId("undecide-shown").disabled = !shown.length;
  drawRows();
  showCurrent();
}

function isFiltered() {
  return Boolean(filters.text || filters.verdicts.size || filters.effort || filters.status || filters.decision || filters.rule || filters.path);
}

function layOut() {
  rows = [];
  height = 0;
  const add = (row, size) => {
    rows.push({ ...row, top: height });
    height += size;
  };
  let file = null;
  for (const [index, finding] of shown.entries()) {
    if (finding.file !== file) {
      file = finding.file;
      add({ file }, ROW.file);
    }
    finding.row = rows.length;
    add({ finding, place: index + 1 }, ROW.finding);
  }
  byId("list-space").style.height = `${height}px`;
}

function drawRows() {
  const list = byId("list");
  const top = list.scrollTop - 300;
  const bottom = list.scrollTop + list.clientHeight + 300;
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].top < top) low = middle + 1;
    else high = middle;
  }
  const drawn = [];
  for (let index = Math.max(low - 1, 0); index < rows.length && rows[index].top < bottom; index += 1) {
    drawn.push(drawRow(rows[index]));
  }
  const selected = current();
  if (selected && !drawn.some((row) => row.id === `finding-${selected.index}`)) drawn.push(drawRow(rows[selected.row]));
  byId("list-space").replaceChildren(...drawn);
  if (selected) list.setAttribute("aria-activedescendant", `finding-${selected.index}`);
  else list.removeAttribute("aria-activedescendant");
}

function drawRow(row) {
  const made = row.file ? fileRow(row.file) : findingRow(row.finding, row.place);
  made.style.top = `${row.top}px`;
  return made;
}

function fileRow(file) {
  const path = visibleText(file.path);
  const cut = path.lastIndexOf("/") + 1;
  return element(
    "div",
    { class: "file-row", role: "presentation", title: path },
    element("span", { class: "folder" }, path.slice(0, cut)),
    element("span", { class: "name" }, path.slice(cut)),
  );
}

function findingRow(finding, placeInList) {
  const { decision, note } = decisions.of(finding.hunk);
  const word = decisionWord(finding);
  const code = [element("span", { class: finding.changes ? "old" : "" }, ...visible(oneLine(finding.before).slice(0, 120)))];
  if (finding.changes) {
    const after = oneLine(finding.after).slice(0, 120) || "(nothing)";
    code.push(element("span", { class: "arrow" }, " → "), element("span", { class: "now" }, ...visible(after)));
  }
  return element(
    "div",
    {
      class: `row ${decision}`,
      role: "option",
      id: `finding-${finding.index}`,
      "aria-selected": String(finding === current()),
      "aria-posinset": placeInList,
      "aria-setsize": shown.length,
      onclick: () => goTo(finding),
    },
    element("span", { class: `dot ${finding.verdict}`, "aria-hidden": "true" }),
    element("span", { class: "snippet" }, ...code),
    element(
      "span",
      { class: "meta" },
      `${finding.line} · ${finding.rule} · ${finding.verdict}${finding.effort === "none" ? "" : ` · effort ${finding.effort}`}`,
    ),
    element("span", { class: `mark ${decision}`, title: word, "aria-label": word, role: "img" }, `${note ? "✎" : ""}${MARKS[decision]}`),
  );
}

function showCurrent() {
  const finding = current();
  showDetail(finding);
  if (!finding) return;
  const list = byId("list");
  const top = rows[finding.row].top;
  if (top < list.scrollTop + ROW.file) list.scrollTop = Math.max(top - ROW.file - 8, 0);
  else if (top + ROW.finding > list.scrollTop + list.clientHeight) {
    list.scrollTop = top + ROW.finding - list.clientHeight + 8;
  }
  drawRows();
}

// Moves in the shown findings; beyond the ends nothing happens.
function step(by) {
  const next = position + by;
  if (next < 0 || next >= shown.length) return;
  position = next;
  showCurrent();
}

function stepFile(by) {
  const here = current()?.file;
  let next = position;
  while (shown[next] && shown[next].file === here) next += by;
  if (!shown[next]) return;
  // Backwards, to the first finding of that file.
  const file = shown[next].file;
  while (by < 0 && shown[next - 1]?.file === file) next -= 1;
  position = next;
  showCurrent();
}

function stepUndecided() {
  for (let by = 1; by <= shown.length; by += 1) {
    const next = (position + by) % shown.length;
    if (decisions.of(shown[next].hunk).decision === UNDECIDED) {
      position = next;
      showCurrent();
      return;
    }
  }
  tell("Every finding shown is decided.");
}

// Shows a finding, without the filters if they hide it.
function goTo(finding) {
  if (!fits(finding)) clearFilters();
  position = shown.indexOf(finding);
  showView("findings");
  showCurrent();
}

function decideCurrent(decision) {
  const finding = current();
  if (finding) decisions.decide([finding.hunk], decision);
}

// The shown list stays while decisions change: what was just decided does not vanish under the hand.
function redecided() {
  drawRows();
  const note = document.activeElement?.id === "note";
  if (!note && current()) byId("detail").querySelector(".decide")?.replaceWith(decisionBar(current()));
  showProgress();
}

function decideShown(decision) {
  const earlier = new Map(decisions.made);
  const wanted = decision === UNDECIDED ? () => true : (finding) => finding.changes && decisions.of(finding.hunk).decision === UNDECIDED;
  const ids = new Set(shown.filter(wanted).map((finding) => finding.hunk));
  decisions.decide(ids, decision);
  tell(`${plural(ids.size, "hunk")} ${decision}.`, { text: "Undo", act: () => decisions.restore(earlier) });
}

// The filters' controls.

function setUpFilters() {
  const present = (key) => new Set(findings.map((finding) => finding[key]));
  for (const verdict of VERDICTS.filter((name) => present("verdict").has(name))) {
    const count = findings.filter((finding) => finding.verdict === verdict).length;
    byId("verdict-chips").append(
      element(
        "button",
        { type: "button", class: `chip ${verdict}`, "data-verdict": verdict, "aria-pressed": "false", onclick: () => toggleVerdict(verdict) },
        element("span", { class: `dot ${verdict}`, "aria-hidden": "true" }),
        `${verdict} `,
        element("span", { class: "count" }, count.toLocaleString("en")),
      ),
    );
  }
  fill("effort", EFFORTS.filter((name) => present("effort").has(name)));
  fill("status", [...present("status")].sort());
  fill("decision", ["undecided", "accepted", "refused", "note"], ["undecided", "accepted, agreed", "refused, objected", "with a note"]);
  const ids = Object.keys(report.rules);
  fill("rule", ids, ids.map((id) => `${id} ${visibleText(report.rules[id].title)}`));
  const folders = new Set();
  for (const { path } of report.files) folders.add(path.slice(0, path.lastIndexOf("/") + 1)).add(path);
  byId("paths").append(...[...folders].filter(Boolean).sort().slice(0, 2000).map((path) => element("option", { value: path })));
  byId("search").addEventListener("input", ({ target }) => {
    const words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
    setFilters({ text: words.length ? words : "" });
  });
  byId("path").addEventListener("input", ({ target }) => setFilters({ path: target.value.toLowerCase().trim() }));
  for (const name of ["effort", "status", "decision", "rule"]) {
    byId(name).addEventListener("change", ({ target }) => setFilters({ [name]: target.value }));
  }
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("clear").addEventListener("click", clearFilters);
  byId("accept-shown").addEventListener("click", () => decideShown("accepted"));
  byId("undecide-shown").addEventListener("click", () => decideShown(UNDECIDED));
  byId("list").addEventListener("scroll", () => requestAnimationFrame(drawRows), { passive: true });
  window.addEventListener("resize", drawRows);
}

function fill(id, values, texts = values) {
  byId(id).append(
    element("option", { value: "" }, "any"),
    ...values.map((value, index) => element("option", { value }, texts[index])),
  );
}

function toggleVerdict(verdict) {
  if (!filters.verdicts.delete(verdict)) filters.verdicts.add(verdict);
  setFilters({});
}

function setFilters(changed) {
  Object.assign(filters, changed);
  for (const chip of byId("verdict-chips").children) {
    chip.setAttribute("aria-pressed", String(filters.verdicts.has(chip.dataset.verdict)));
  }
  refilter();
}

function clearFilters() {
  for (const id of ["search", "path", "effort", "status", "decision", "rule"]) byId(id).value = "";
  filters.verdicts.clear();
  setFilters({ text: "", effort: "", status: "", decision: "", rule: "", path: "" });
}

// From another view: only these filters.
function showFiltered({ verdict, effort = "", rule = "", path = "" }) {
  clearFilters();
  if (verdict) filters.verdicts.add(verdict);
  byId("effort").value = effort;
  byId("rule").value = rule;
  byId("path").value = path;
  setFilters({ effort, rule, path: path.toLowerCase() });
  position = 0;
  showView("findings");
  showCurrent();
}
