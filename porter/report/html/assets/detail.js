"use strict";
// One finding: its code before and after, why, and what the reviewer says of it.

const MOST_PARTS = 12;
let sideBySide = window.matchMedia("(min-width: 1180px)").matches;

function showDetail(finding) {
  const view = byId("detail");
  view.scrollTop = 0;
  if (!finding) {
    const text = findings.length ? "No finding fits these filters." : "Nothing was found: there is nothing to review.";
    view.replaceChildren(element("p", { class: "empty" }, text));
    return;
  }
  view.replaceChildren(
    element(
      "div",
      { class: "detail-head" },
      element("h2", {}, ruleLink(finding.rule), " ", ...visible(report.rules[finding.rule].title)),
      element("p", { class: "where" }, ...visible(place(finding)), element("span", { class: "column" }, `:${finding.column}`)),
      facts(finding),
      decisionBar(finding),
    ),
    element("p", { class: "reason" }, ...prose(finding.message)),
    codeOf(finding),
    ...together(finding),
    ...addedImports(finding),
    aboutRule(finding),
  );
}

function facts(finding) {
  return element(
    "p",
    { class: "badges" },
    badge(finding.verdict),
    element("span", { class: "badge" }, `effort ${finding.effort}`),
    element("span", { class: "badge" }, finding.status),
    finding.constructs > 1 ? element("span", { class: "badge" }, plural(finding.constructs, "construct")) : null,
    isChanged(finding)
      ? element(
          "button",
          { type: "button", class: "link mode", title: "Side by side, or inline (d)", onclick: switchMode },
          sideBySide ? "show inline" : "show side by side",
        )
      : null,
  );
}

function decisionBar(finding) {
  const { decision, note } = decisions.of(finding.hunk);
  const choose = (value, text, key) =>
    element(
      "button",
      {
        type: "button",
        class: `choose ${value}`,
        "aria-pressed": String(decision === value),
        title: `${text} (${key})`,
        onclick: () => decideCurrent(decision === value ? UNDECIDED : value),
      },
      text,
    );
  const parts = hunks.get(finding.hunk).length;
  const [yes, no] = finding.changes ? ["Accept", "Refuse"] : ["Agree", "Object"];
  const area = element("textarea", {
    id: "note",
    rows: note.includes("\n") ? 3 : 1,
    placeholder: "Note  ( n )",
    "aria-label": "Note on this hunk",
    oninput: (event) => decisions.write(finding.hunk, event.target.value),
  });
  area.value = note;
  return element(
    "div",
    { class: "decide" },
    choose("accepted", yes, "a"),
    choose("refused", no, "r"),
    area,
    parts > 1 ? element("small", {}, `for the ${parts} findings of this hunk`) : null,
  );
}

function codeOf(finding) {
  const block = element("div", { class: "windows" });
  if (!finding.windows.length) {
    block.append(codeBlock(finding.before, finding.changes ? "gone" : ""));
    if (finding.changes) block.append(codeBlock(finding.after, "new"));
  }
  const changed = isChanged(finding);
  for (const shown of finding.windows) block.append(codeTable(shown, sideBySide && changed));
  if (finding.changes && finding.windows.length && !changed) {
    block.append(element("p", { class: "aside" }, "Its text stays: another finding of the hunk converts it, such as that of the import behind it."));
  }
  return block;
}

const isChanged = (finding) => finding.windows.some(({ rows: lines }) => lines.some((row) => row.length === 2));

function together(finding) {
  const others = hunks.get(finding.hunk).filter((other) => other !== finding);
  if (!others.length) return [];
  const shown = others.slice(0, MOST_PARTS).map((other) =>
    element(
      "li",
      {},
      element("button", { type: "button", class: "link", onclick: () => goTo(other) }, `line ${other.line}`),
      ` ${other.rule} `,
      element("code", {}, ...visible(oneLine(other.before).slice(0, 90))),
    ),
  );
  if (others.length > MOST_PARTS) shown.push(element("li", {}, `and ${others.length - MOST_PARTS} more in this file`));
  return [element("h3", {}, "Goes together with"), element("ul", { class: "together" }, ...shown)];
}

function addedImports(finding) {
  if (!finding.changes || !finding.file.added.length) return [];
  return [
    element(
      "details",
      { class: "added" },
      element("summary", {}, "This file also gets the import of the bridge, if a change that needs it is applied"),
      ...finding.file.added.map((shown) => codeTable(shown, false)),
    ),
  ];
}

function aboutRule(finding) {
  const rule = report.rules[finding.rule];
  return element(
    "div",
    { class: "about" },
    element("h3", {}, "Why ", ruleLink(finding.rule), " says so"),
    sourceList([...rule.sources, ...(rule.since ? [`Gaudi software ${rule.since}`] : [])]),
    element("p", {}, element("a", { href: `#${finding.rule}` }, `The page of ${finding.rule}, with examples`)),
  );
}

function switchMode() {
  sideBySide = !sideBySide;
  showDetail(current());
}
