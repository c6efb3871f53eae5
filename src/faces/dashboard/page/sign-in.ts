// Signing in: a key is traded for a cookie that no script can read, and forgotten.
import { type Me, Problem, signIn } from "./api.ts";
import { el, put } from "./dom.ts";

export function signInForm(done: (me: Me) => void): HTMLElement {
  const key = el("input", {
    id: "key",
    type: "password",
    autocomplete: "current-password",
    required: true,
    spellcheck: "false",
    "aria-describedby": "key-hint",
  });
  const fault = el("p", { class: "fault", role: "alert" });
  const button = el("button", { type: "submit", class: "primary" }, "Sign in");
  const submit = async (event: Event) => {
    event.preventDefault();
    button.disabled = true;
    put(fault);
    try {
      done(await signIn(key.value.trim()));
    } catch (error) {
      put(fault, faultOf(error));
      button.disabled = false;
    }
    key.value = "";
  };
  const hint = el(
    "p",
    { class: "hint", id: "key-hint" },
    "The first start of the server printed an owner key. Others: ",
    el("code", {}, "astra-budget key create --role operator --name yours"),
  );
  return el(
    "main",
    { class: "alone" },
    el("h1", {}, "astra-budget"),
    el("form", { onsubmit: submit }, el("label", { for: "key" }, "Key"), key, hint, fault, button),
  );
}

/** The server tells programs which header to send; people have a field. */
function faultOf(error: unknown): string {
  if (!(error instanceof Problem)) return "The server cannot be reached. Is astra-budget serve running?";
  return error.status === 401 ? "This key is unknown, expired or revoked. A whole key begins with oc_." : error.message;
}
