import type { SheetState, ToSheet } from "@rport/protocol/sheet";
import { describeLine, expiryOf, timeLeftMs } from "./countdown.ts";
import { element, redraw } from "./element.ts";
import { renderHeader } from "./header.ts";
import type { Host } from "./host.ts";
import { renderHosts, renderNews } from "./hosts.ts";
import { renderManual } from "./manual.ts";
import { renderNotice } from "./notice.ts";
import { type OptionsForm, renderOptions } from "./options.ts";
import { renderSnippet, shownText } from "./snippet.ts";
import { isLineDone, isUsable, statusOf } from "./status.ts";
import { renderNearOnly, renderService, renderTerminals } from "./warning.ts";
import { type WordKey, type Words, wordsOf } from "./words.ts";

const HAPPENS: Readonly<Record<SheetState["service"]["kind"], readonly WordKey[]>> = {
  embedded: ["happens1", "happens2", "happens3", "happens4", "happens5"],
  sealed: ["happens1", "happens2", "happensSealed3", "happens4", "happens5"],
  "rport-pairing": ["happensRport1", "happensRport2", "happensRport3", "happensRport4"],
};

/** How long a button says that something was copied. */
const COPIED_MS = 2_000;

/** From here on the end of the line is announced, in milliseconds. */
const LAST_MINUTE_MS = 60_000;

type Copied = Extract<ToSheet, { type: "copied" }>["what"];

/** The install sheet: its parts are made once and drawn again when the state changes. */
export class Sheet {
  readonly #host: Host;
  readonly #header = element("header");
  readonly #warnings = element("div");
  readonly #command = element("div", { id: "command", role: "region" });
  readonly #expiry = element("p", { class: "expiry", "aria-live": "off" });
  readonly #notice = element("div");
  readonly #hosts = element("div");
  readonly #manual = element("div");
  readonly #happens = element("ol");
  readonly #live = element("p", { class: "sr-only", "aria-live": "polite" });
  #state: SheetState | undefined;
  #words: Words = wordsOf({});
  #form: OptionsForm | undefined;
  #details: readonly HTMLElement[] = [];
  #text = "";
  #warned = false;
  #isFocused = false;
  #copied: Copied | undefined;
  #copiedTimer = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Speaks another language than English from the next state on. */
  speak(locale: string, texts: Readonly<Record<string, string>>): void {
    document.documentElement.lang = locale;
    this.#words = wordsOf(texts);
  }

  /** Shows a new state; builds the page at the first. */
  update(state: SheetState, page: HTMLElement): void {
    const before = this.#state;
    this.#state = state;
    if (!before) this.#build(page);
    const remembered = this.#host.remembered();
    if (remembered.pairing !== state.pairingId) {
      this.#host.remember({ ...remembered, pairing: state.pairingId });
    }
    this.#draw(state);
    this.#announceChange(before, state);
  }

  /** Reads a sentence out to people who do not see the page. */
  announce(text: string): void {
    this.#live.textContent = text;
  }

  /** Says for a moment that something is in the clipboard. */
  copied(what: Copied): void {
    this.announce(this.#words("copied"));
    this.#showCopied(what);
    clearTimeout(this.#copiedTimer);
    this.#copiedTimer = window.setTimeout(() => this.#showCopied(undefined), COPIED_MS);
  }

  /** Shows the time that is left; called once a second. */
  tick(nowMs: number): void {
    const state = this.#state;
    if (!state) return;
    const text = describeLine(state, this.#words, nowMs);
    this.#expiry.hidden = text === "";
    this.#expiry.textContent = text;
    const expiresAt = expiryOf(state);
    if (expiresAt === undefined) return;
    const isLast = timeLeftMs(expiresAt, state.clockSkewMs, nowMs) <= LAST_MINUTE_MS;
    if (isLast && !this.#warned) this.announce(this.#words("oneMinuteLeft"));
    this.#warned = isLast;
  }

  #showCopied(what: Copied | undefined): void {
    this.#copied = what;
    if (this.#state !== undefined) this.#draw(this.#state);
  }

  #build(page: HTMLElement): void {
    const words = this.#words;
    this.#command.setAttribute("aria-label", words("snippet"));
    this.#form = renderOptions(words, (options) => this.#host.post({ type: "options", options }));
    this.#details = [
      this.#disclosure("options", this.#form.root),
      this.#disclosure("manual", this.#manual),
      this.#disclosure("happens", this.#happens),
    ];
    page.replaceChildren(
      this.#header,
      this.#notice,
      this.#warnings,
      this.#command,
      this.#expiry,
      this.#hosts,
      ...this.#details,
      this.#live,
    );
  }

  #disclosure(key: "options" | "manual" | "happens", content: HTMLElement): HTMLElement {
    const made = element("details", {}, element("summary", {}, this.#words(key)), content);
    made.open = this.#host.remembered().open.includes(key);
    made.addEventListener("toggle", () => {
      const remembered = this.#host.remembered();
      const others = remembered.open.filter((name) => name !== key);
      this.#host.remember({ ...remembered, open: made.open ? [...others, key] : others });
    });
    return made;
  }

  #draw(state: SheetState): void {
    const words = this.#words;
    const { post } = this.#host;
    redraw(this.#header, ...renderHeader(state, words, () => post({ type: "changeCredential" })));
    redraw(this.#notice, ...renderNotice(state, words, post));
    const isDone = isLineDone(state);
    const near = isDone ? [] : renderNearOnly(state.nearOnly, words, post);
    const service = isDone ? [] : renderService(state, words);
    const terminals = isDone ? [] : renderTerminals(state, words);
    this.#drawWarnings([...service, ...near, ...terminals]);
    redraw(this.#command, ...(isDone ? [] : this.#drawCommand(state)));
    redraw(this.#hosts, ...renderHosts(state, words, post), ...renderNews(state, words));
    redraw(
      this.#manual,
      ...renderManual(state, words, { post, isCopied: this.#isCopied("manual") }),
    );
    const happens = HAPPENS[state.service.kind].map((key) => element("li", {}, words(key)));
    redraw(this.#happens, ...happens);
    for (const details of this.#details) details.hidden = isDone;
    this.#form?.show(state);
    this.tick(Date.now());
    this.#focusOnce(state);
  }

  /** An address that somebody is about to choose stays as long as the warning does. */
  #drawWarnings(warnings: readonly HTMLElement[]): void {
    const texts = (nodes: Iterable<Element>) => Array.from(nodes, (node) => node.innerHTML).join();
    if (texts(this.#warnings.children) !== texts(warnings)) redraw(this.#warnings, ...warnings);
  }

  #isCopied(what: Copied): boolean {
    return this.#copied === what;
  }

  /** The first command that can be copied gets the focus, unless it is elsewhere already. */
  #focusOnce(state: SheetState): void {
    if (this.#isFocused || !isUsable(state)) return;
    this.#isFocused = true;
    if (!document.hasFocus() || document.activeElement !== document.body) return;
    this.#command.querySelector<HTMLElement>('[data-key="copy"]')?.focus();
  }

  #drawCommand(state: SheetState): readonly HTMLElement[] {
    const isCopied = this.#isCopied("line");
    const parts = renderSnippet(state, { words: this.#words, post: this.#host.post, isCopied });
    const text = shownText(state);
    const isChanged = this.#text !== "" && this.#text !== text;
    this.#text = text;
    const snippet = parts.find((part) => part.classList.contains("snippet"));
    if (isChanged && snippet) flash(snippet);
    return parts;
  }

  #announceChange(before: SheetState | undefined, now: SheetState): void {
    if (!before) return;
    const { chip } = statusOf(now, this.#words);
    if (chip === statusOf(before, this.#words).chip) return;
    this.#warned = false;
    this.announce(chip);
  }
}

/** Draws the eye to what has changed, once: not again when the tab is shown again. */
function flash(part: HTMLElement): void {
  part.classList.add("changed");
  part.addEventListener("animationend", () => part.classList.remove("changed"), { once: true });
}
