import type { SheetState } from "@rport/protocol/sheet";
import { choiceOf } from "./choice.ts";
import { describeTimeLeft, expiryOf, timeLeftMs } from "./countdown.ts";
import { element, redraw } from "./element.ts";
import { renderHeader } from "./header.ts";
import type { Host } from "./host.ts";
import { renderNotice } from "./notice.ts";
import { type OptionsForm, renderOptions } from "./options.ts";
import { renderSnippet } from "./snippet.ts";
import { isUsable, statusOf } from "./status.ts";
import { type WordKey, type Words, wordsOf } from "./words.ts";

const HAPPENS: readonly WordKey[] = ["happens1", "happens2", "happens3", "happens4", "happens5"];

/** The install sheet: its parts are made once and drawn again when the state changes. */
export class Sheet {
  readonly #host: Host;
  readonly #header = element("header");
  readonly #command = element("div", { id: "command", role: "region" });
  readonly #expiry = element("p", { class: "expiry", "aria-live": "off" });
  readonly #notice = element("div");
  readonly #live = element("p", { class: "sr-only", "aria-live": "polite" });
  #state: SheetState | undefined;
  #words: Words = wordsOf({});
  #form: OptionsForm | undefined;
  #options: HTMLElement | undefined;
  #text = "";
  #warned = false;
  #isFocused = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Shows a new state; builds the page at the first. */
  update(state: SheetState, page: HTMLElement): void {
    const before = this.#state;
    this.#state = state;
    this.#words = wordsOf(state.strings);
    if (!before) this.#build(page);
    this.#draw();
    this.#announceChange(before, state);
  }

  /** Reads a sentence out to people who do not see the page. */
  announce(text: string): void {
    this.#live.textContent = text;
  }

  /** Shows the time that is left; called once a second. */
  tick(nowMs: number): void {
    const state = this.#state;
    if (!state) return;
    const expiresAt = expiryOf(state);
    this.#expiry.hidden = expiresAt === undefined || !isUsable(state);
    if (expiresAt === undefined || this.#expiry.hidden) return;
    const leftMs = timeLeftMs(expiresAt, state.clockSkewMs, nowMs);
    const until = new Date(expiresAt).toLocaleTimeString([], {
      hour: "2-digit",
      minute: "2-digit",
    });
    this.#expiry.textContent = this.#words(
      "worksOnce",
      until,
      describeTimeLeft(leftMs, this.#words),
    );
    if (leftMs <= 60_000 && !this.#warned) this.announce(this.#words("oneMinuteLeft"));
    this.#warned = leftMs <= 60_000;
  }

  #build(page: HTMLElement): void {
    const words = this.#words;
    this.#command.setAttribute("aria-label", words("snippet"));
    this.#form = renderOptions(words, (options) => this.#host.post({ type: "options", options }));
    this.#options = this.#disclosure("options", this.#form.root);
    page.replaceChildren(
      this.#header,
      this.#notice,
      this.#command,
      this.#expiry,
      this.#options,
      this.#disclosure(
        "happens",
        element("ol", {}, ...HAPPENS.map((key) => element("li", {}, words(key)))),
      ),
      this.#live,
    );
  }

  #disclosure(key: "options" | "happens", content: HTMLElement): HTMLElement {
    const made = element("details", {}, element("summary", {}, this.#words(key)), content);
    made.open = this.#host.remembered().open.includes(key);
    made.addEventListener("toggle", () => {
      const remembered = this.#host.remembered();
      const others = remembered.open.filter((name) => name !== key);
      this.#host.remember({ ...remembered, open: made.open ? [...others, key] : others });
    });
    return made;
  }

  #draw(): void {
    const state = this.#state;
    if (!state) return;
    const words = this.#words;
    const change = () => this.#host.post({ type: "changeCredential" });
    redraw(this.#header, ...renderHeader(state, words, change));
    const isDone = state.pairing.kind === "connected";
    redraw(this.#notice, ...renderNotice(state, words, this.#host.post));
    const chosen = isDone ? undefined : choiceOf(state, this.#host.remembered().command);
    redraw(this.#command, ...(chosen ? this.#drawCommand(state, chosen) : []));
    if (this.#options) this.#options.hidden = isDone;
    this.#form?.show(state.options);
    this.tick(Date.now());
    this.#focusOnce(state);
  }

  /** The first command that can be copied gets the focus, unless it is elsewhere already. */
  #focusOnce(state: SheetState): void {
    if (this.#isFocused || !isUsable(state)) return;
    this.#isFocused = true;
    if (!document.hasFocus() || document.activeElement !== document.body) return;
    this.#command.querySelector<HTMLElement>('[data-key="copy"]')?.focus();
  }

  #drawCommand(state: SheetState, chosen: NonNullable<ReturnType<typeof choiceOf>>) {
    const post = this.#host.post;
    const parts = renderSnippet(state, this.#words, {
      chosen,
      actions: {
        copy: (platform, command) => post({ type: "copy", platform, command }),
        run: (platform, command) => post({ type: "runInTerminal", platform, command }),
        inspect: () => post({ type: "inspectScript" }),
        renew: () => post({ type: "renew" }),
        revoke: () => post({ type: "revoke" }),
        choose: (id) => this.#choose(id),
      },
    });
    const isChanged = this.#text !== "" && this.#text !== chosen.text;
    this.#text = chosen.text;
    const [, snippet] = parts;
    if (isChanged && snippet) flash(snippet);
    return parts;
  }

  #choose(command: string): void {
    this.#host.remember({ ...this.#host.remembered(), command });
    this.#text = "";
    this.#draw();
  }

  #announceChange(before: SheetState | undefined, now: SheetState): void {
    if (!before || before.pairing.kind === now.pairing.kind) return;
    this.#warned = false;
    this.announce(statusOf(now, this.#words).chip);
  }
}

/** Draws the eye to what has changed, once: not again when the tab is shown again. */
function flash(part: HTMLElement): void {
  part.classList.add("changed");
  part.addEventListener("animationend", () => part.classList.remove("changed"), { once: true });
}
