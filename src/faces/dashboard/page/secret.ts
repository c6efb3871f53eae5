// A new key's secret: shown this one time, to be copied.
import { el, name, put } from "./dom.ts";

/** Resolves once it was closed, which takes a click: a stray Escape must not lose it. */
export function shownOnce(made: { readonly name: string; readonly secret: string | null }): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const told = el("p", { class: "hint", role: "status" });
  const secret = el("input", { id: "secret", class: "secret", readonly: true, value: made.secret ?? "" });
  const copy = async () => {
    secret.select();
    // Browsers let no page copy that came over plain http from another machine.
    const isCopied = await navigator.clipboard?.writeText(secret.value).then(
      () => true,
      () => false,
    );
    put(told, isCopied ? "Copied." : "It is selected: copy it with Ctrl+C or ⌘C.");
  };
  const body =
    made.secret === null
      ? [el("p", {}, "It was made before, and its secret cannot be shown again. Revoke it and create another.")]
      : [
          el("p", {}, "Copy it now: ", el("strong", {}, "it is never shown again"), ", only a hash of it is kept."),
          el("label", { for: "secret" }, "Secret"),
          el(
            "div",
            { class: "row" },
            secret,
            el("button", { type: "button", class: "primary", onclick: copy }, "Copy"),
          ),
          told,
        ];
  const done = el("button", { type: "button", onclick: () => dialog.close() }, "I have kept it");
  const dialog = el(
    "dialog",
    {
      "aria-labelledby": "secret-title",
      // Browsers that do not know it close it at the second Escape only.
      closedby: "none",
      oncancel: (event: Event) => event.preventDefault(),
      onclose: () => {
        dialog.remove();
        resolve();
      },
    },
    el("h2", { id: "secret-title" }, "The key ", name(made.name)),
    ...body,
    el("div", { class: "row end" }, done),
  );
  document.body.append(dialog);
  dialog.showModal();
  secret.select();
  return promise;
}
