import {
  type HeldTerminal,
  type HostOpening,
  hostOpeningSchema,
  TERMINAL,
  type TerminalId,
  type TerminalOffer,
} from "@rport/protocol/terminal/terminal";
import type { ChannelDecision } from "@rport/protocol/wire/connection";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { TerminalSettings } from "../config/config.ts";
import type { ShellAccount, Shells } from "../machine/shells.ts";
import { type Clock, sleep } from "../platform/clock.ts";
import { troubleOf } from "../platform/descriptors.ts";
import { loggedFault } from "../platform/faults.ts";
import type { Log } from "../platform/log.ts";
import type { Accounts } from "./accounts.ts";
import { type EndListener, Ends } from "./ends.ts";
import type { Floods } from "./floods.ts";
import type { OpenPty } from "./pty.ts";
import { type ForcedEnd, Terminal } from "./terminal.ts";

/** So long a stopping agent waits for its terminals and for the server that hears of their ends. */
const STOP_MS = 3_000;

/** Why a host has no terminals, as long as its agent runs. */
export type NoTerminals = Exclude<TerminalOffer["state"], "on" | "accounts">;

const WHY_NOT: Readonly<Record<NoTerminals, string>> = {
  off: "terminals are not allowed on this host: nobody wrote enabled = true below [terminal] into its rport.conf",
  runtime: "this host's agent runs in a Node that cannot have terminals; its log says why",
  system: "this agent has no terminals on this system",
};
/** Somebody else's are answered for as if there were none. */
const NOT_THERE = "this host has no such terminal any more";
const STOPPING = "this host's agent is stopping";

interface Refusal {
  readonly refuse: string;
}

/** How the terminals of a host are, for whoever asks at the host. */
export interface TerminalsNow {
  /** What was found when a server was told last. */
  readonly offer: TerminalOffer;
  /** How many run. */
  readonly open: number;
}

/** What makes terminals possible. */
export interface TerminalParts {
  readonly open: OpenPty;
  readonly shells: Shells;
  readonly accounts: Accounts;
}

/** What the terminals of a host need. */
export interface TerminalsDeps {
  readonly settings: TerminalSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** In which programs that write without end give way to tunnels. */
  readonly floods: Floods;
  /** Or why there are none. */
  readonly parts: TerminalParts | NoTerminals;
}

/**
 * The terminals of this host. They belong to the agent, not to a connection: a new one of the same
 * server finds them.
 */
export class Terminals {
  readonly #deps: TerminalsDeps;
  readonly #all = new Map<TerminalId, Terminal>();
  readonly #running = new Set<Terminal>();
  /** Those whose account is being looked up, and the server that opens them. */
  readonly #beginning = new Map<TerminalId, string | undefined>();
  readonly #ends: Ends;
  #whenNone: (() => void) | undefined;
  #offer: TerminalOffer;
  #onChange = () => {};
  #isStopping = false;

  constructor(deps: TerminalsDeps) {
    this.#deps = deps;
    this.#offer = { state: typeof deps.parts === "string" ? deps.parts : "accounts" };
    this.#ends = new Ends(({ id }) => {
      deps.log.warn("the end of a terminal was forgotten: no server asked for it", {
        terminal: id,
      });
    });
  }

  /** Whether there are some as soon as one of their accounts is there. */
  get arePossible(): boolean {
    return typeof this.#deps.parts !== "string";
  }

  /** What a server is told now: accounts come and go while an agent runs. */
  async offered(): Promise<TerminalOffer> {
    this.#offer = await this.#look();
    this.#onChange();
    return this.#offer;
  }

  /** How they are now. */
  get now(): TerminalsNow {
    return { offer: this.#offer, open: this.#running.size };
  }

  /** Calls back when that may have changed; one listener. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  /** Decides about a viewer by what the server said with its channel. */
  decide(extra: Buffer): ChannelDecision | Promise<ChannelDecision> {
    const { parts } = this.#deps;
    if (typeof parts === "string") return { refuse: WHY_NOT[parts] };
    const parsed = hostOpeningSchema.safeParse(parseJsonPayload(extra, TERMINAL.openingBytes));
    if (!parsed.success) return { refuse: "the opening of the terminal cannot be read" };
    const { data: opening } = parsed;
    if (opening.wish.kind === "new") return this.#begin(opening, parts);
    return this.#decided(opening, this.#found(opening));
  }

  /** The terminals there are, and those that ended and nobody was told of. */
  list(): readonly HeldTerminal[] {
    return [...[...this.#running].map(({ held }) => held), ...this.#ends.answered()];
  }

  /** Ends a terminal, one that is not there has ended; undefined: all of them. */
  end(id: TerminalId | undefined, how: ForcedEnd): void {
    if (id === undefined) this.#beginning.clear();
    else this.#beginning.delete(id);
    for (const terminal of this.#running) {
      if (id === undefined || terminal.held.id === id) terminal.end(how);
    }
  }

  /** Who is told of ends from now on, until the answer is called. */
  listen(listener: EndListener): () => void {
    return this.#ends.listen(listener);
  }

  /** Ends all of them, and resolves when they are gone and the server was told, or after a while. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#endAll();
    for (const terminal of this.#all.values()) terminal.letGo();
  }

  async #look(): Promise<TerminalOffer> {
    const { parts } = this.#deps;
    if (typeof parts === "string") return { state: parts };
    const names = await parts.accounts.names();
    if (names.length === 0) return { state: parts.accounts.whyNone };
    return { state: "on", accounts: [...names], max: this.#deps.settings.max };
  }

  async #endAll(): Promise<void> {
    if (this.#running.size === 0) return;
    const none = new Promise<void>((resolve) => {
      this.#whenNone = resolve;
    });
    for (const terminal of this.#running) terminal.end("stopped");
    const over = new AbortController();
    const told = none.then(() => this.#ends.allTold());
    await Promise.race([told, sleep(this.#deps.clock, STOP_MS, over.signal)]);
    over.abort();
  }

  #refused({ ownerName }: HostOpening, refuse: string): ChannelDecision {
    this.#deps.log.warn("refused a terminal", { by: ownerName, reason: refuse });
    return { refuse };
  }

  #decided(opening: HostOpening, terminal: Terminal | Refusal): ChannelDecision {
    if (!(terminal instanceof Terminal)) return this.#refused(opening, terminal.refuse);
    const from = opening.wish.kind === "resume" ? opening.wish.from : undefined;
    return { accept: (channel) => terminal.attach(channel, opening.size, from) };
  }

  #found({ id, owner }: HostOpening): Terminal | Refusal {
    const terminal = this.#all.get(id);
    const isTheirs = terminal !== undefined && terminal.held.owner === owner;
    return isTheirs && !terminal.isForced ? terminal : { refuse: NOT_THERE };
  }

  /** As whom it begins is looked up each time: accounts come, go and change while an agent runs. */
  async #begin(opening: HostOpening, parts: TerminalParts): Promise<ChannelDecision> {
    const refuse = this.#whyNot(opening);
    if (refuse !== undefined) return this.#refused(opening, refuse);
    this.#beginning.set(opening.id, this.#ends.server);
    try {
      return this.#decided(opening, await this.#begun(opening, parts));
    } finally {
      this.#beginning.delete(opening.id);
    }
  }

  #whyNot({ id }: HostOpening): string | undefined {
    const { max } = this.#deps.settings;
    if (this.#isStopping) return STOPPING;
    if (this.#all.has(id) || this.#beginning.has(id)) return "this host has a terminal of this id";
    if (this.#running.size + this.#beginning.size < max) return undefined;
    return `this host has ${max} terminals, and its rport.conf allows no more`;
  }

  async #begun(opening: HostOpening, parts: TerminalParts): Promise<Terminal | Refusal> {
    const wanted = opening.wish.kind === "new" ? opening.wish.account : undefined;
    try {
      const account = await parts.accounts.find(wanted);
      if (account === undefined) return { refuse: "this host allows no terminal as this account" };
      if (this.#isStopping) return { refuse: STOPPING };
      if (!this.#beginning.has(opening.id)) return { refuse: NOT_THERE };
      return this.#started(opening, account, parts);
    } catch (error) {
      return { refuse: `this host cannot open a terminal: ${troubleOf(error)}` };
    }
  }

  #started(opening: HostOpening, account: ShellAccount, parts: TerminalParts): Terminal {
    const { settings, clock, log, floods } = this.#deps;
    if (opening.wish.kind !== "new") throw new Error("it is no new one");
    const { cwd, env, marks } = opening.wish;
    const nonce = settings.integratesShells ? marks?.nonce : undefined;
    const wish = { shell: settings.shell, cwd, env: definedOf(env), nonce };
    const program = parts.shells.program(account, wish);
    const opener = this.#beginning.get(opening.id);
    const terminal: Terminal = new Terminal({
      opening,
      account: account.name,
      program,
      open: parts.open,
      shells: parts.shells,
      clock,
      floods,
      idleMs: settings.idleMs,
      onFault: loggedFault(log, "a terminal"),
      onNonsense: (error) => log.warn("a viewer of a terminal made no sense", { error }),
      onEnded: (held) => this.#ended(terminal, held, opener),
      onOver: () => this.#all.delete(opening.id),
    });
    this.#all.set(opening.id, terminal);
    this.#running.add(terminal);
    this.#onChange();
    this.#forgetEnded();
    const { id: of, ownerName: by } = opening;
    log.info("a terminal was opened", { terminal: of, by, account: account.name });
    return terminal;
  }

  #ended(terminal: Terminal, held: HeldTerminal, opener: string | undefined): void {
    this.#running.delete(terminal);
    this.#onChange();
    // Behind those that have ended before: they are forgotten first.
    if (this.#all.delete(held.id)) this.#all.set(held.id, terminal);
    const { id, ownerName, account, ended } = held;
    const how = ended?.end.how ?? "failed";
    const fields = { terminal: id, by: ownerName, account, how };
    this.#deps.log.info("a terminal has ended", fields);
    this.#ends.add(held, opener);
    if (this.#running.size === 0) this.#whenNone?.();
  }

  /** Those that have ended are kept for who comes back as long as there is room beside those that run. */
  #forgetEnded(): void {
    const ended = [...this.#all.values()].filter((one) => !this.#running.has(one));
    const inOrder = [
      ...ended.filter((one) => !one.isViewed),
      ...ended.filter((one) => one.isViewed),
    ];
    for (const terminal of inOrder) {
      if (this.#all.size <= this.#deps.settings.max) return;
      const { id } = terminal.held;
      this.#deps.log.warn("the last output of a terminal was forgotten: others need its room", {
        terminal: id,
      });
      terminal.letGo();
    }
  }
}

function definedOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}
