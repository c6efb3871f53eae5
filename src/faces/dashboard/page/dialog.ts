// A confirmed action: what will happen, why it is done, and what the server said to it.
import { Problem } from "./api.ts";
import { el, put } from "./dom.ts";

export type Field = {
  readonly name: string;
  readonly label: string;
  readonly kind: "number" | "text" | "choice";
  /** Of a choice; the first is the usual one. */
  readonly options?: readonly string[];
  readonly value?: string;
  readonly hint?: string;
  /** Empty is an answer, too. */
  readonly optional?: boolean;
};

export type Action = {
  readonly title: string;
  /** What will happen, a paragraph each; `HTMLElement`s where names of others stand in it. */
  readonly says: readonly (string | HTMLElement)[];
  readonly fields?: readonly Field[];
  /** "Reason" when absent. */
  readonly reasonLabel?: string;
  /** Who is told the reason. */
  readonly reasonHint: string;
  readonly isReasonOptional?: true;
  readonly confirm: string;
  readonly isDangerous?: boolean;
  /**
   * `key`, and the instant `at` (epoch ms) of the first attempt, are the same for every attempt of one dialog: an answer
   * that was lost is not done twice.
   */
  run(input: {
    readonly reason: string;
    readonly key: string;
    readonly at: number;
    readonly fields: Readonly<Record<string, string>>;
  }): Promise<unknown>;
};

/** Opens the dialog; resolves once it is closed: was it done? */
export function confirmed(action: Action): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const key = randomKey();
  const fields = (action.fields ?? []).map(fieldOf);
  const reason = el("textarea", {
    id: "reason",
    rows: "2",
    maxlength: "300",
    required: !action.isReasonOptional,
    "aria-describedby": "reason-hint",
  });
  const fault = el("p", { class: "fault", role: "alert" });
  const confirm = el("button", { type: "submit", class: action.isDangerous ? "danger" : "primary" }, action.confirm);
  const cancel = el("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  let isDone = false;
  let at: number | null = null;

  const submit = async (event: Event) => {
    event.preventDefault();
    confirm.disabled = true;
    put(fault);
    at ??= Date.now();
    try {
      await action.run({
        reason: reason.value.trim(),
        key,
        at,
        fields: Object.fromEntries(fields.map(({ name, input }) => [name, input.value.trim()])),
      });
      isDone = true;
      dialog.close();
    } catch (error) {
      put(fault, error instanceof Problem ? error.message : "The server cannot be reached. Try again.");
      confirm.disabled = false;
    }
  };

  const form = el(
    "form",
    { onsubmit: submit },
    el("h2", { id: "dialog-title" }, action.title),
    ...action.says.map((text) => (typeof text === "string" ? el("p", {}, text) : text)),
    ...fields.map(({ element }) => element),
    el("label", { for: "reason" }, action.reasonLabel ?? "Reason"),
    reason,
    el("p", { class: "hint", id: "reason-hint" }, action.reasonHint),
    fault,
    el("div", { class: "row end" }, cancel, confirm),
  );
  const closed = () => {
    dialog.remove();
    resolve(isDone);
  };
  const dialog = el("dialog", { "aria-labelledby": "dialog-title", onclose: closed }, form);
  document.body.append(dialog);
  // The element that had the focus gets it back when the dialog closes: the browser sees to that.
  dialog.showModal();
  (fields[0]?.input ?? reason).focus();
  return promise;
}

function fieldOf(field: Field) {
  const id = `field-${field.name}`;
  const hint = field.hint === undefined ? null : el("p", { class: "hint", id: `${id}-hint` }, field.hint);
  const described = hint === null ? {} : { "aria-describedby": hint.id };
  const input = field.kind === "choice" ? choiceOf(id, field, described) : inputOf(id, field, described);
  return { name: field.name, input, element: el("div", {}, el("label", { for: id }, field.label), input, hint) };
}

function inputOf(id: string, field: Field, more: Readonly<Record<string, string>>): HTMLInputElement {
  const numeric = field.kind === "number" ? { inputmode: "decimal", pattern: "[0-9]*[.]?[0-9]+" } : {};
  return el("input", {
    id,
    value: field.value ?? "",
    required: !field.optional,
    autocomplete: "off",
    ...numeric,
    ...more,
  });
}

function choiceOf(id: string, field: Field, more: Readonly<Record<string, string>>): HTMLSelectElement {
  return el("select", { id, ...more }, ...(field.options ?? []).map((option) => el("option", {}, option)));
}

function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
