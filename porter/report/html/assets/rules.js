"use strict";
// The pages of the rules that the findings speak of: they travel in the report.

function ruleLink(id) {
  return element("a", { href: `#${id}`, class: "rule-link", title: `The page of ${id}` }, id);
}

function showRules() {
  const view = byId("rules");
  if (view.childElementCount) return;
  const ids = Object.keys(report.rules);
  view.append(element("h2", {}, `${plural(ids.length, "rule")} in this report`));
  if (!ids.length) view.append(element("p", { class: "empty" }, "No rule has found anything."));
  for (const id of ids) view.append(rulePage(id, report.rules[id]));
}

function rulePage(id, rule) {
  const count = findings.filter((finding) => finding.rule === id).length;
  const page = element(
    "article",
    { id, class: "rule", tabindex: "-1" },
    element("h3", {}, `${id}: `, ...visible(rule.title)),
    element(
      "p",
      { class: "badges" },
      badge(rule.verdict),
      element("span", { class: "badge" }, `effort ${rule.effort}`),
      element("button", { type: "button", class: "link", onclick: () => showFiltered({ rule: id }) }, plural(count, "finding")),
    ),
    element("p", { class: "prose" }, ...prose(rule.note)),
  );
  if (rule.becomes) page.append(element("p", {}, "Becomes ", element("code", {}, ...visible(rule.becomes))));
  for (const example of rule.examples) page.append(exampleOf(example));
  const sources = [...rule.sources, ...(rule.since ? [`Gaudi software ${rule.since}`] : [])];
  page.append(element("h4", {}, "Sources"), sourceList(sources));
  return page;
}

function exampleOf({ before, after }) {
  const parts = [codeBlock(before, after === null ? "" : "gone")];
  if (after !== null) {
    parts.push(after.trim() ? codeBlock(after, "new") : element("p", {}, "The statement is removed."));
  } else {
    parts.push(element("small", {}, "Reported, and left as it is."));
  }
  return element("div", { class: "example" }, ...parts);
}

// Addresses stay text: the report leads nowhere by itself.
const sourceList = (sources) =>
  element("ul", { class: "sources" }, ...sources.map((source) => element("li", {}, ...prose(source))));

// `code` between backquotes, as the rules write it.
function prose(text) {
  return text.split("`").flatMap((part, index) => (index % 2 ? [element("code", {}, ...visible(part))] : visible(part)));
}

const badge = (verdict) => element("span", { class: `badge verdict ${verdict}` }, verdict);
