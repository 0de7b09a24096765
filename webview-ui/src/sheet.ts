import type { SheetState } from "@rport/protocol/ipc";
import { choiceOf } from "./choice.ts";
import { describeTimeLeft, expiryOf, timeLeftMs } from "./countdown.ts";
import { button, element, redraw } from "./element.ts";
import { renderHeader } from "./header.ts";
import type { Host } from "./host.ts";
import { type OptionsForm, renderOptions } from "./options.ts";
import { renderSnippet } from "./snippet.ts";
import { statusOf } from "./status.ts";
import { renderTabs } from "./tabs.ts";
import { type WordKey, type Words, wordsOf } from "./words.ts";

const HAPPENS: readonly WordKey[] = ["happens1", "happens2", "happens3", "happens4", "happens5"];

/** The install sheet: its parts are made once and drawn again when the state changes. */
export class Sheet {
  readonly #host: Host;
  readonly #header = element("header");
  readonly #tabs = element("div");
  readonly #command = element("div", { id: "command", role: "region" });
  readonly #expiry = element("p", { class: "expiry", "aria-live": "off" });
  readonly #result = element("div", { class: "buttons" });
  readonly #live = element("p", { class: "sr-only", "aria-live": "polite" });
  #state: SheetState | undefined;
  #words: Words = wordsOf({});
  #form: OptionsForm | undefined;
  #text = "";
  #warned = false;

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
    const sentence = statusOf(state, this.#words).sentence;
    const expiresAt = expiryOf(state);
    if (expiresAt === undefined || state.pairing.kind === "claimed") {
      this.#expiry.textContent = sentence;
      return;
    }
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
    this.#form = renderOptions(words, (options) => this.#host.post({ type: "options", options }));
    page.replaceChildren(
      this.#header,
      this.#tabs,
      this.#command,
      this.#expiry,
      this.#result,
      this.#disclosure("options", this.#form.root),
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
    const chosen = choiceOf(state, this.#host.remembered().command);
    const commands = state.platforms.flatMap((platform) => platform.commands);
    const choose = (id: string) => this.#choose(id);
    redraw(
      this.#tabs,
      ...renderTabs(words("tool"), commands, { chosen: chosen?.command ?? "", choose }),
    );
    redraw(this.#command, ...(chosen ? this.#drawCommand(state, chosen) : []));
    redraw(this.#result, ...this.#resultButtons(state));
    this.#form?.show(state.options);
    this.tick(Date.now());
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
      },
    });
    const isChanged = this.#text !== "" && this.#text !== chosen.text;
    this.#text = chosen.text;
    if (isChanged) parts[0]?.classList.add("changed");
    return parts;
  }

  #resultButtons({ pairing }: SheetState): readonly HTMLElement[] {
    if (pairing.kind !== "connected") return [];
    const { post } = this.#host;
    const words = this.#words;
    return [
      button({ key: "show", label: words("showClient"), kind: "primary" }, () =>
        post({ type: "showClient" }),
      ),
      button({ key: "another", label: words("another") }, () => post({ type: "installAnother" })),
    ];
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
