import { element } from "./element.ts";
import type { WordKey, Words } from "./words.ts";

/** One option of the form, with its label, its hint, and what is wrong with it. */
export interface Field<I extends HTMLInputElement | HTMLSelectElement = HTMLInputElement> {
  readonly root: HTMLElement;
  readonly input: I;
  readonly error: HTMLElement;
}

/** How a field is called; `name` tells it from the others of the page. */
export interface FieldLook {
  readonly name: string;
  readonly label: WordKey;
  readonly hint?: WordKey;
}

const idOf = ({ name }: FieldLook) => `option-${name}`;

/** A field of text. */
export function textField(words: Words, look: FieldLook): Field {
  const input = element("input", { type: "text", spellcheck: "false", ...attributes(look) });
  return whole(words, look, { input, label: [labelOf(words, look), input] });
}

/** A box to check. */
export function checkField(words: Words, look: FieldLook): Field {
  const input = element("input", { type: "checkbox", ...attributes(look) });
  const label = element("label", { for: idOf(look), class: "check" }, input, words(look.label));
  return whole(words, look, { input, label: [label] });
}

/** A list to choose from: its values, with what each is called. */
export function choiceField(
  words: Words,
  look: FieldLook,
  choices: Readonly<Record<string, WordKey>>,
): Field<HTMLSelectElement> {
  const options = Object.entries(choices).map(([value, label]) =>
    element("option", { value }, words(label)),
  );
  const input = element("select", attributes(look), ...options);
  return whole(words, look, { input, label: [labelOf(words, look), input] });
}

/** Says under a field what is wrong with it; empty: nothing. */
export function showProblem(
  { input, error }: Field<HTMLInputElement | HTMLSelectElement>,
  why: string,
): void {
  input.setAttribute("aria-invalid", String(why !== ""));
  // a screen reader says again what is set again
  if (error.textContent !== why) error.textContent = why;
  error.hidden = why === "";
}

function attributes(look: FieldLook): Readonly<Record<string, string>> {
  const id = idOf(look);
  const hint = look.hint === undefined ? "" : `${id}-hint `;
  return { id, "aria-describedby": `${hint}${id}-error` };
}

function labelOf(words: Words, look: FieldLook): HTMLElement {
  return element("label", { for: idOf(look) }, words(look.label));
}

function whole<I extends HTMLInputElement | HTMLSelectElement>(
  words: Words,
  look: FieldLook,
  { input, label }: { readonly input: I; readonly label: readonly HTMLElement[] },
): Field<I> {
  const id = idOf(look);
  const error = element("p", { class: "error", id: `${id}-error`, role: "alert" });
  const hint =
    look.hint === undefined
      ? []
      : [element("p", { class: "hint", id: `${id}-hint` }, words(look.hint))];
  return { root: element("div", { class: "field" }, ...label, ...hint, error), input, error };
}
