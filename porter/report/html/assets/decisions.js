"use strict";
// What the reviewer decides: by hunk, kept by the browser, and exported as a selection file.

const UNDECIDED = "undecided";
const STORE = `porter-review:${report.identity}`;

const decisions = {
  made: new Map(), // hunk -> {decision, note}
  keeps: true, // whether the browser keeps anything for this page
  exported: true, // whether all that was decided is in an exported file
  listeners: [],

  of(hunk) {
    return this.made.get(hunk) || { decision: UNDECIDED, note: "" };
  },

  decide(ids, decision) {
    for (const hunk of ids) this.made.set(hunk, { ...this.of(hunk), decision });
    this.changed();
  },

  write(hunk, note) {
    this.made.set(hunk, { ...this.of(hunk), note });
    this.changed();
  },

  restore(made) {
    this.made = new Map(made);
    this.changed();
  },

  changed() {
    this.exported = false;
    this.save();
    for (const listener of this.listeners) listener();
  },

  save() {
    try {
      localStorage.setItem(STORE, JSON.stringify([...this.made]));
    } catch {
      this.keeps = false;
    }
  },

  load() {
    for (const [hunk, [decision, note]] of Object.entries(report.decided)) {
      this.made.set(hunk, { decision, note });
    }
    try {
      const kept = JSON.parse(localStorage.getItem(STORE) || "[]");
      for (const [hunk, made] of kept) if (hunks.has(hunk)) this.made.set(hunk, made);
    } catch {
      this.keeps = false;
    }
    this.save();
  },

  // How many hunks there are of each decision; `changes` tells those that edit from reports.
  counts(changes) {
    const counts = { accepted: 0, refused: 0, undecided: 0 };
    for (const [hunk, [first]] of hunks) {
      if (first.changes === changes) counts[this.of(hunk).decision] += 1;
    }
    return counts;
  },

  // After selection.schema.json: every hunk of the page, so that one it never saw is not applied.
  selection(undecided) {
    return {
      schema_version: report.schema_version,
      source: report.source,
      porter: report.porter,
      undecided,
      options: report.options,
      decisions: [...hunks].map(([hunk, parts]) => ({
        hunk,
        decision: this.of(hunk).decision,
        note: this.of(hunk).note,
        changes: parts[0].changes,
        path: parts[0].file.path,
        line: parts[0].line,
        rules: [...new Set(parts.map((finding) => finding.rule))],
        before: parts[0].before,
        after: parts[0].after,
      })),
    };
  },

  // Takes the decisions of a selection file, and says how many there were and fitted.
  take(selection) {
    if (selection?.schema_version !== report.schema_version || !Array.isArray(selection.decisions)) {
      throw new Error("it is no selection file of this porter");
    }
    const known = ["accepted", "refused", UNDECIDED];
    const told = selection.decisions.filter(
      ({ decision, note }) => known.includes(decision) && (decision !== UNDECIDED || note),
    );
    const fitting = told.filter(({ hunk }) => hunks.has(hunk));
    for (const { hunk, decision, note } of fitting) {
      this.made.set(hunk, { decision, note: String(note || "") });
    }
    this.changed();
    return { told: told.length, fitting: fitting.length };
  },
};

const WORDS = {
  true: { accepted: "accepted", refused: "refused", undecided: "undecided" },
  false: { accepted: "agreed", refused: "objected", undecided: "undecided" },
};
const decisionWord = (finding) => WORDS[finding.changes][decisions.of(finding.hunk).decision];
