import type { SheetOptions, SheetState } from "@rport/protocol/sheet";
import { element } from "./element.ts";
import type { WordKey, Words } from "./words.ts";

/** How long typing may pause before the command follows. */
const TYPING_PAUSE_MS = 250;

/** `a, b,,a` becomes `["a", "b"]`: trimmed, without empty ones and repeats. */
export function parseTags(text: string): string[] {
  const tags = text.split(",").map((tag) => tag.trim());
  return [...new Set(tags)].filter((tag) => tag !== "");
}

/** The form below "Options". */
export interface OptionsForm {
  readonly root: HTMLElement;
  /** Shows what the host knows, except in the field that is being typed in. */
  show(state: Pick<SheetState, "options" | "offered" | "problems">): void;
}

type Name = keyof SheetOptions;
type TextName = { [N in Name]: SheetOptions[N] extends boolean ? never : N }[Name];
type CheckName = Exclude<Name, TextName>;

interface Field {
  readonly root: HTMLElement;
  readonly input: HTMLInputElement;
  readonly error: HTMLElement;
}

interface Look {
  readonly label: WordKey;
  readonly hint?: WordKey;
  readonly isCheck?: boolean;
}

/** In the order of the form. */
const TEXTS: Readonly<Record<TextName, Look>> = {
  name: { label: "name", hint: "nameHint" },
  tags: { label: "tags" },
  hostname: { label: "hostname", hint: "hostnameHint" },
  uses: { label: "uses", hint: "usesHint" },
  minutes: { label: "minutesField", hint: "minutesFieldHint" },
  prefix: { label: "prefix", hint: "prefixHint" },
  user: { label: "user", hint: "userHint" },
};

const CHECKS: Readonly<Record<CheckName, Look>> = {
  noService: { label: "noService", hint: "noServiceHint" },
  noStart: { label: "noStart", hint: "noStartHint" },
  newId: { label: "newId", hint: "newIdHint" },
  force: { label: "force", hint: "forceHint" },
};

function field(words: Words, name: Name, { label, hint, isCheck = false }: Look): Field {
  const id = `option-${name}`;
  const described = hint ? `${id}-hint ${id}-error` : `${id}-error`;
  const input = element("input", {
    type: isCheck ? "checkbox" : "text",
    id,
    spellcheck: "false",
    "aria-describedby": described,
  });
  const error = element("p", { class: "error", id: `${id}-error`, role: "alert" });
  const text = words(label);
  const parts: HTMLElement[] = isCheck
    ? [element("label", { for: id, class: "check" }, input, text)]
    : [element("label", { for: id }, text), input];
  if (hint) parts.push(element("p", { class: "hint", id: `${id}-hint` }, words(hint)));
  return { root: element("div", { class: "field" }, ...parts, error), input, error };
}

function fieldsOf<N extends Name>(looks: Readonly<Record<N, Look>>, make: (name: N) => Field) {
  const names = Object.keys(looks) as N[];
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<N, Field>;
}

/** What an option is shown as in a field of text. */
function textOf(options: SheetOptions, name: TextName): string {
  return name === "tags" ? options.tags.join(", ") : options[name];
}

/** Builds the form; `changed` gets all options whenever one of them was changed. */
export function renderOptions(words: Words, changed: (options: SheetOptions) => void): OptionsForm {
  const texts = fieldsOf(TEXTS, (name) => field(words, name, TEXTS[name]));
  const checks = fieldsOf(CHECKS, (name) => field(words, name, { ...CHECKS[name], isCheck: true }));
  const all: Readonly<Record<Name, Field>> = { ...texts, ...checks };
  const root = element("form", {}, ...Object.values(all).map((one) => one.root));
  const text = (name: TextName) => texts[name].input.value.trim();
  const read = (): SheetOptions => ({
    name: text("name"),
    tags: parseTags(text("tags")),
    hostname: text("hostname"),
    uses: text("uses"),
    minutes: text("minutes"),
    prefix: text("prefix"),
    user: text("user"),
    noService: checks.noService.input.checked,
    noStart: checks.noStart.input.checked,
    newId: checks.newId.input.checked,
    force: checks.force.input.checked,
  });
  listen(root, () => changed(read()));
  return {
    root,
    show: ({ options, offered, problems }) => {
      for (const name of Object.keys(texts) as TextName[]) {
        const { input } = texts[name];
        if (document.activeElement !== input) input.value = textOf(options, name);
      }
      for (const name of Object.keys(checks) as CheckName[]) {
        checks[name].input.checked = options[name];
      }
      for (const [name, one] of Object.entries(all) as [Name, Field][]) {
        one.root.hidden = !offered.includes(name);
        showProblem(one, problems[name] ?? "");
      }
    },
  };
}

/** While somebody types it waits for a pause; leaving the field is one. */
function listen(root: HTMLFormElement, tell: () => void): void {
  let pause = 0;
  const tellNow = () => {
    clearTimeout(pause);
    pause = 0;
    tell();
  };
  root.addEventListener("input", () => {
    clearTimeout(pause);
    pause = window.setTimeout(tellNow, TYPING_PAUSE_MS);
  });
  root.addEventListener("change", () => {
    if (pause !== 0) tellNow();
  });
  root.addEventListener("submit", (event) => event.preventDefault());
}

function showProblem({ input, error }: Field, why: string): void {
  input.setAttribute("aria-invalid", String(why !== ""));
  // a screen reader says again what is set again
  if (error.textContent !== why) error.textContent = why;
  error.hidden = why === "";
}
