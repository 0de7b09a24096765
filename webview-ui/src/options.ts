import type { SheetOptions, SheetState } from "@rport/protocol/sheet";
import { element } from "./element.ts";
import { checkField, choiceField, type Field, showProblem, textField } from "./field.ts";
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
type CheckName = { [N in Name]: SheetOptions[N] extends boolean ? N : never }[Name];
type TextName = Exclude<Name, CheckName | "runtime">;

interface Look {
  readonly label: WordKey;
  readonly hint?: WordKey;
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
  proxy: { label: "proxy", hint: "proxyHint" },
  packageFile: { label: "packageFile", hint: "packageFileHint" },
  sha256: { label: "sha256", hint: "sha256Hint" },
};

const RUNTIMES = { auto: "runtimeAuto", bun: "runtimeBun", node: "runtimeNode" } as const;

const CHECKS: Readonly<Record<CheckName, Look>> = {
  terminals: { label: "terminals", hint: "terminalsHint" },
  noService: { label: "noService", hint: "noServiceHint" },
  noStart: { label: "noStart", hint: "noStartHint" },
  newId: { label: "newId", hint: "newIdHint" },
  force: { label: "force", hint: "forceHint" },
};

function fieldsOf<N extends Name>(
  looks: Readonly<Record<N, Look>>,
  make: (look: Look & { readonly name: N }) => Field,
) {
  const names = Object.keys(looks) as N[];
  const made = names.map((name) => [name, make({ ...looks[name], name })]);
  return Object.fromEntries(made) as Record<N, Field>;
}

/** What an option is shown as in a field of text. */
function textOf(options: SheetOptions, name: TextName): string {
  return name === "tags" ? options.tags.join(", ") : options[name];
}

/** Builds the form; `changed` gets all options whenever one of them was changed. */
export function renderOptions(words: Words, changed: (options: SheetOptions) => void): OptionsForm {
  const texts = fieldsOf(TEXTS, (look) => textField(words, look));
  const checks = fieldsOf(CHECKS, (look) => checkField(words, look));
  const runtime = choiceField(words, { name: "runtime", label: "runtime" }, RUNTIMES);
  const all = { ...texts, runtime, ...checks };
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
    proxy: text("proxy"),
    packageFile: text("packageFile"),
    sha256: text("sha256"),
    runtime: runtimeOf(runtime.input.value),
    terminals: checks.terminals.input.checked,
    noService: checks.noService.input.checked,
    noStart: checks.noStart.input.checked,
    newId: checks.newId.input.checked,
    force: checks.force.input.checked,
  });
  // what somebody has changed, until a state comes that knows it: one from before would take it back
  let unheard: SheetOptions | undefined;
  root.addEventListener("input", () => {
    unheard = read();
  });
  listen(root, () => changed(read()));
  const fill = (options: SheetOptions) => {
    for (const name of Object.keys(texts) as TextName[]) {
      const { input } = texts[name];
      if (document.activeElement !== input) input.value = textOf(options, name);
    }
    for (const name of Object.keys(checks) as CheckName[]) {
      checks[name].input.checked = options[name];
    }
    runtime.input.value = options.runtime;
  };
  return {
    root,
    show: ({ options, offered, problems }) => {
      if (unheard !== undefined && isSameChoice(options, unheard)) unheard = undefined;
      if (unheard === undefined) fill(options);
      for (const name of Object.keys(all) as Name[]) {
        all[name].root.hidden = !offered.includes(name);
        showProblem(all[name], problems[name] ?? "");
      }
    },
  };
}

function isSameChoice(one: SheetOptions, other: SheetOptions): boolean {
  const names = Object.keys(one) as (keyof SheetOptions)[];
  return names.every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]));
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

function runtimeOf(value: string): SheetOptions["runtime"] {
  return value === "bun" || value === "node" ? value : "auto";
}
