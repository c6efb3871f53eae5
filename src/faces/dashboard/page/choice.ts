// A labelled choice of one among few.
import { el } from "./dom.ts";

export type Choice = {
  readonly label: string;
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly title: string }[];
  picked(value: string): void;
};

let choices = 0;

export function choice({ label, value, options, picked }: Choice): HTMLElement {
  choices += 1;
  const id = `choice-${choices}`;
  const select = el(
    "select",
    { id, onchange: () => picked(select.value) },
    ...options.map((option) => el("option", { value: option.value, selected: option.value === value }, option.title)),
  );
  return el("span", { class: "row" }, el("label", { for: id }, label), select);
}
