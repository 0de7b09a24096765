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
import { type EndListener, Ends } from "./ends.ts";
import type { OpenPty } from "./pty.ts";
import { type ForcedEnd, Terminal } from "./terminal.ts";

/** So long a stopping agent waits for its terminals and for the server that hears of their ends. */
const STOP_MS = 3_000;

const WHY_NOT: Readonly<Record<Exclude<TerminalOffer["state"], "on">, string>> = {
  off: "terminals are not allowed on this host: nobody wrote enabled = true below [terminal] into its rport.conf",
  runtime: "this host's agent runs in a Node that cannot have terminals; its log says why",
  system: "this agent has no terminals on this system",
};
/** Somebody else's are answered for as if there were none. */
const NOT_THERE = "this host has no such terminal any more";

/** What makes terminals possible. */
export interface TerminalParts {
  readonly open: OpenPty;
  readonly shells: Shells;
  /** By name, in the order in which they are offered. */
  readonly accounts: ReadonlyMap<string, ShellAccount>;
}

/** What the terminals of a host need. */
export interface TerminalsDeps {
  readonly settings: TerminalSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined: there are none. */
  readonly parts: TerminalParts | undefined;
  readonly offer: TerminalOffer;
}

/**
 * The terminals of this host. They belong to the agent, not to a connection: a new one of the same
 * server finds them.
 */
export class Terminals {
  readonly offer: TerminalOffer;
  readonly #deps: TerminalsDeps;
  readonly #all = new Map<TerminalId, Terminal>();
  readonly #running = new Set<Terminal>();
  readonly #accounts: Map<string, ShellAccount>;
  readonly #ends: Ends;
  #whenNone: (() => void) | undefined;
  #isStopping = false;

  constructor(deps: TerminalsDeps) {
    this.#deps = deps;
    this.offer = deps.offer;
    this.#accounts = new Map(deps.parts?.accounts);
    this.#ends = new Ends(({ id }) => {
      deps.log.warn("the end of a terminal was forgotten: no server asked for it", {
        terminal: id,
      });
    });
  }

  /** Decides about a viewer by what the server said with its channel. */
  decide(extra: Buffer): ChannelDecision {
    const { offer } = this;
    if (offer.state !== "on") return { refuse: WHY_NOT[offer.state] };
    const parsed = hostOpeningSchema.safeParse(parseJsonPayload(extra, TERMINAL.openingBytes));
    if (!parsed.success) return { refuse: "the opening of the terminal cannot be read" };
    if (this.#isStopping) return { refuse: "this host's agent is stopping" };
    const { data: opening } = parsed;
    const terminal = opening.wish.kind === "new" ? this.#begun(opening) : this.#found(opening);
    if (!(terminal instanceof Terminal)) return this.#refused(opening, terminal.refuse);
    const from = opening.wish.kind === "resume" ? opening.wish.from : undefined;
    return { accept: (channel) => terminal.attach(channel, opening.size, from) };
  }

  /** The terminals there are, and those that ended and nobody was told of. */
  list(): readonly HeldTerminal[] {
    return [...[...this.#running].map(({ held }) => held), ...this.#ends.answered()];
  }

  /** Ends a terminal, one that is not there has ended; undefined: all of them. */
  end(id: TerminalId | undefined, how: ForcedEnd): void {
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

  #found({ id, owner }: HostOpening): Terminal | { readonly refuse: string } {
    const terminal = this.#all.get(id);
    const isTheirs = terminal !== undefined && terminal.held.owner === owner;
    return isTheirs && !terminal.isForced ? terminal : { refuse: NOT_THERE };
  }

  #begun(opening: HostOpening): Terminal | { readonly refuse: string } {
    const { max } = this.#deps.settings;
    const account = this.#accountOf(opening);
    if (this.#all.has(opening.id)) return { refuse: "this host has a terminal of this id" };
    if (account === undefined) return { refuse: "this host allows no terminal as this account" };
    if (this.#running.size >= max) {
      return { refuse: `this host has ${max} terminals, and its rport.conf allows no more` };
    }
    try {
      return this.#started(opening, account);
    } catch (error) {
      return { refuse: `this host cannot open a terminal: ${troubleOf(error)}` };
    } finally {
      void this.#lookAgain(account);
    }
  }

  #accountOf({ wish }: HostOpening): ShellAccount | undefined {
    if (wish.kind !== "new") return undefined;
    const [first] = this.#accounts.keys();
    return this.#accounts.get(wish.account ?? first ?? "");
  }

  /** What is known of an account is as new as its last terminal. */
  async #lookAgain({ name }: ShellAccount): Promise<void> {
    const found = await this.#deps.parts?.shells.find(name).catch(() => undefined);
    if (found !== undefined) this.#accounts.set(name, found);
  }

  #started(opening: HostOpening, account: ShellAccount): Terminal {
    const { parts, settings, clock, log } = this.#deps;
    if (parts === undefined || opening.wish.kind !== "new") throw new Error("there are none");
    const { cwd, env } = opening.wish;
    const wish = { shell: settings.shell, cwd, env: definedOf(env) };
    const program = parts.shells.program(account, wish);
    const terminal: Terminal = new Terminal({
      opening,
      account: account.name,
      program,
      open: parts.open,
      shells: parts.shells,
      clock,
      idleMs: settings.idleMs,
      onFault: loggedFault(log, "a terminal"),
      onNonsense: (error) => log.warn("a viewer of a terminal made no sense", { error }),
      onEnded: (held) => this.#ended(terminal, held),
      onOver: () => this.#all.delete(opening.id),
    });
    this.#all.set(opening.id, terminal);
    this.#running.add(terminal);
    const { id: of, ownerName: by } = opening;
    log.info("a terminal was opened", { terminal: of, by, account: account.name });
    return terminal;
  }

  #ended(terminal: Terminal, held: HeldTerminal): void {
    this.#running.delete(terminal);
    const { id, ownerName, account, ended } = held;
    const how = ended?.end.how ?? "failed";
    const fields = { terminal: id, by: ownerName, account, how };
    this.#deps.log.info("a terminal has ended", fields);
    this.#ends.add(held);
    if (this.#running.size === 0) this.#whenNone?.();
  }
}

function definedOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}
