"use strict";
// Folders and files, and how much of each verdict they hold.

function showOverview() {
  for (const button of byId("overview").querySelectorAll("button[data-verdict]")) {
    button.addEventListener("click", () => showFiltered({ verdict: button.dataset.verdict, effort: button.dataset.effort }));
  }
  const folders = new Map();
  for (const file of report.files) {
    const folder = file.path.slice(0, file.path.lastIndexOf("/") + 1);
    if (!folders.has(folder)) folders.set(folder, []);
    folders.get(folder).push(file);
  }
  const most = Math.max(1, ...[...folders.values()].map(total));
  for (const [folder, files] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1))) {
    byId("folders").append(folderPart(folder, files, most));
  }
  if (!folders.size) byId("folders").append(element("p", { class: "empty" }, "No file has anything of CUDA’s."));
}

const total = (files) => files.reduce((sum, file) => sum + file.findings.length + file.unaccounted, 0);

// The files of a folder are drawn when it is opened.
function folderPart(folder, files, most) {
  const part = element(
    "details",
    { class: "folder-part" },
    element("summary", {}, element("span", { class: "path" }, ...visible(folder || "./")), bar(files, most)),
  );
  part.addEventListener("toggle", () => {
    if (part.childElementCount > 1) return;
    const largest = Math.max(1, ...files.map((file) => total([file])));
    part.append(element("ul", {}, ...files.map((file) => fileLine(file, largest))));
  });
  return part;
}

function fileLine(file, largest) {
  const name = file.path.slice(file.path.lastIndexOf("/") + 1);
  return element(
    "li",
    {},
    element("button", { type: "button", class: "link path", onclick: () => showFiltered({ path: file.path }) }, ...visible(name)),
    file.unaccounted ? element("b", { class: "gap" }, `${file.unaccounted} unaccounted for`) : null,
    bar([file], largest),
  );
}

function bar(files, most) {
  const counts = new Map();
  for (const finding of files.flatMap((file) => file.findings)) {
    counts.set(finding.verdict, (counts.get(finding.verdict) || 0) + 1);
  }
  const parts = VERDICTS.filter((verdict) => counts.has(verdict)).map((verdict) => {
    const piece = element("span", { class: `piece ${verdict}`, title: `${counts.get(verdict)} ${verdict}` });
    piece.style.width = `${(100 * counts.get(verdict)) / most}%`;
    return piece;
  });
  const told = VERDICTS.filter((verdict) => counts.has(verdict)).map((verdict) => `${counts.get(verdict)} ${verdict}`);
  return element(
    "span",
    { class: "measure" },
    element("span", { class: "stack", role: "img", "aria-label": told.join(", ") || "no findings" }, ...parts),
    element("span", { class: "sum" }, total(files).toLocaleString("en")),
  );
}
