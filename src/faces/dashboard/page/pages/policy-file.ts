// The policy's file as it is on disk now: fine, or what is wrong with it and where.
import { el, name, put } from "../dom.ts";
import type { PageContext } from "../page.ts";

export type PolicyFile = {
  readonly name: string;
  readonly in_force_since: string;
  readonly faults: readonly {
    /** Null where the whole file is at fault. */
    readonly line: number | null;
    readonly column: number | null;
    readonly path: string;
    readonly message: string;
  }[];
  readonly notes: readonly string[];
};

export function filePart({ clock }: PageContext) {
  const element = el("div", { role: "status" });
  let shown = "";
  return {
    element,
    show(file: PolicyFile | null | undefined) {
      const next = JSON.stringify(file ?? null);
      if (next === shown) return;
      shown = next;
      element.hidden = file === undefined;
      if (file === null) put(element, noFile());
      else if (file) put(element, file.faults.length > 0 ? broken(file) : fine(file));
    },
  };

  function fine({ name: file, in_force_since: since, notes }: PolicyFile): HTMLElement {
    return el(
      "section",
      { "aria-label": "The policy's file" },
      el(
        "p",
        {},
        name(file),
        " is in force",
        ` since ${clock.dateTime(since)}. An edit takes effect when it is saved.`,
      ),
      notes.length === 0 ? null : el("ul", {}, ...notes.map((note) => el("li", {}, name(note)))),
    );
  }
}

function broken({ name: file, faults }: PolicyFile): HTMLElement {
  return el(
    "section",
    { class: "alert", "aria-labelledby": "broken" },
    el("h2", { id: "broken" }, "▲ The file on disk is broken: the old policy stays in force"),
    el(
      "p",
      {},
      name(file),
      faults.length === 1 ? " has a fault." : ` has ${faults.length} faults.`,
      " Mend it and save it: a valid file takes effect at once. To check it before: ",
      el("code", {}, "astra-budget policy check"),
    ),
    el("ul", { class: "faults" }, ...faults.map(faultLine)),
  );
}

function faultLine({ line, column, path, message }: PolicyFile["faults"][number]): HTMLElement {
  return el(
    "li",
    {},
    el("strong", {}, line === null ? "The file" : `Line ${line}, column ${column}`),
    ...(path === "" ? [] : [", ", el("code", {}, name(path))]),
    ": ",
    name(message),
  );
}

function noFile(): HTMLElement {
  return el(
    "section",
    { "aria-label": "The policy's file" },
    el(
      "p",
      {},
      "There is no policy file: the built-in hard caps hold. To write one: ",
      el("code", {}, "astra-budget init"),
    ),
  );
}
