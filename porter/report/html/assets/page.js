"use strict";
// Views, keys, theme, import and export, and printing. Runs last.

const VIEWS = ["overview", "findings", "rules"];
const THEMES = ["system", "light", "dark"];
const THEME_STORE = "porter-review:theme";
const MOST_PRINTED = 500;

function showView(name) {
  for (const view of VIEWS) {
    const tab = byId(`${view}-tab`);
    byId(view).hidden = view !== name;
    tab.setAttribute("aria-selected", String(view === name));
    tab.tabIndex = view === name ? 0 : -1;
  }
  if (name === "rules") showRules();
  if (name === "findings") drawRows();
}

// #HPU210 is the page of a rule.
function followHash() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!(id in report.rules)) return;
  showView("rules");
  byId(id).scrollIntoView();
  byId(id).focus({ preventScroll: true });
}

function tell(text, action) {
  const notice = byId("notice");
  notice.replaceChildren(text, " ");
  if (action) {
    const act = () => {
      action.act();
      notice.hidden = true;
    };
    notice.append(element("button", { type: "button", class: "link", onclick: act }, action.text), " ");
  }
  const close = () => {
    notice.hidden = true;
  };
  notice.append(element("button", { type: "button", class: "link", onclick: close }, "Close"));
  notice.hidden = false;
}

function showProgress() {
  const changes = decisions.counts(true);
  const all = changes.accepted + changes.refused + changes.undecided;
  byId("decided-bar").value = all ? (all - changes.undecided) / all : 1;
  byId("decided-text").textContent = `${(all - changes.undecided).toLocaleString("en")} of ${plural(all, "change")} decided`;
}

// Theme.

function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  byId("theme").textContent = { system: "Theme", light: "Light", dark: "Dark" }[theme];
  try {
    localStorage.setItem(THEME_STORE, theme);
  } catch {
    // It lasts as long as the page.
  }
}

function nextTheme() {
  const now = THEMES.indexOf(document.documentElement.dataset.theme || "system");
  setTheme(THEMES[(now + 1) % THEMES.length]);
}

function loadTheme() {
  let theme = null;
  try {
    theme = localStorage.getItem(THEME_STORE);
  } catch {
    // The system's, then.
  }
  setTheme(THEMES.includes(theme) ? theme : "system");
}

// Import and export.

function openExport() {
  const { accepted, refused, undecided } = decisions.counts(true);
  byId("export-counts").textContent = `${plural(accepted, "hunk")} accepted, ${refused} refused, ${undecided} undecided.`;
  byId("export-dialog").showModal();
}

function download() {
  const rest = document.querySelector('input[name="rest"]:checked').value;
  const text = `${JSON.stringify(decisions.selection(rest), null, 2)}\n`;
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  element("a", { href: address, download: "selection.json" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  decisions.exported = true;
  byId("export-dialog").close();
}

async function importFile({ target }) {
  const [file] = target.files;
  target.value = "";
  if (!file) return;
  try {
    const { told, fitting } = decisions.take(JSON.parse(await file.text()));
    const lost = told - fitting;
    tell(`${plural(fitting, "decision")} taken.${lost ? ` ${lost} were about code that is no more, or not the same.` : ""}`);
    showCurrent();
  } catch (error) {
    tell(`${file.name}: ${error.message}; export it from a review page again.`);
  }
}

// Keys. None has a meaning in a field, or with a modifier.

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  "]": () => stepFile(1),
  "[": () => stepFile(-1),
  f: stepUndecided,
  a: () => decideCurrent("accepted"),
  r: () => decideCurrent("refused"),
  u: () => decideCurrent(UNDECIDED),
  n: () => byId("note")?.focus(),
  d: switchMode,
};
const ANYWHERE = {
  "/": () => byId("search").select(),
  "?": () => byId("help-dialog").showModal(),
  e: openExport,
  t: nextTheme,
  1: () => showView("overview"),
  2: () => showView("findings"),
  3: () => showView("rules"),
};

function pressed(event) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (target.matches("textarea, input:not([type=radio])") || (target.matches("select") && key.length === 1)) {
    if (key === "Escape") byId("list").focus();
    return;
  }
  if (key === "ArrowDown" || key === "ArrowUp") {
    if (target !== byId("list")) return;
    step(key === "ArrowDown" ? 1 : -1);
  } else if (target.matches("[role=tab]") && (key === "ArrowRight" || key === "ArrowLeft")) {
    const here = VIEWS.indexOf(target.id.replace("-tab", ""));
    const next = VIEWS[(here + (key === "ArrowRight" ? 1 : 2)) % VIEWS.length];
    showView(next);
    byId(`${next}-tab`).focus();
  } else if (key in KEYS) {
    showView("findings");
    KEYS[key]();
  } else if (key in ANYWHERE) {
    if (key === "/") showView("findings");
    ANYWHERE[key]();
  } else {
    return;
  }
  event.preventDefault();
}

// On paper: the overview, and the findings that are shown.

function fillPrint() {
  const printed = shown.slice(0, MOST_PRINTED);
  const first = shown.length > printed.length ? `The first ${printed.length} of ` : "";
  const head = `${first}${plural(shown.length, "finding")}${isFiltered() ? " that fit the filters" : ""}`;
  byId("print").replaceChildren(element("h2", {}, head), ...printed.map(printedFinding));
}

function printedFinding(finding) {
  const { note } = decisions.of(finding.hunk);
  return element(
    "article",
    {},
    element("h3", {}, ...visible(place(finding))),
    element("p", { class: "badges" }, `${finding.rule} `, badge(finding.verdict), ` effort ${finding.effort}, ${finding.status}, ${decisionWord(finding)}`),
    element("p", {}, ...prose(finding.message)),
    ...finding.windows.map((part) => codeTable(part, false)),
    note ? element("p", { class: "note" }, "Note: ", ...visible(note)) : null,
  );
}

decisions.load();
decisions.listeners.push(redecided);
loadTheme();
showOverview();
setUpFilters();
refilter();
showProgress();
followHash();
if (!decisions.keeps) tell("This browser keeps nothing for this page. Export your decisions before you close it.");

for (const view of VIEWS) byId(`${view}-tab`).addEventListener("click", () => showView(view));
byId("theme").addEventListener("click", nextTheme);
byId("help").addEventListener("click", () => byId("help-dialog").showModal());
byId("export").addEventListener("click", openExport);
byId("download").addEventListener("click", download);
byId("import").addEventListener("click", () => byId("import-file").click());
byId("import-file").addEventListener("change", importFile);
document.addEventListener("keydown", pressed);
window.addEventListener("hashchange", followHash);
window.addEventListener("beforeprint", fillPrint);
window.addEventListener("afterprint", () => byId("print").replaceChildren());
window.addEventListener("beforeunload", (event) => {
  if (!decisions.keeps && !decisions.exported) event.preventDefault();
});
