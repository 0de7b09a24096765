import type { Client } from "@rport/protocol/model";
import type { TerminalWish } from "@rport/protocol/terminal/terminal";
import { t } from "@vscode/l10n";
import {
  Disposable,
  type ExtensionTerminalOptions,
  type Terminal,
  TerminalExitReason,
  ThemeIcon,
  window,
} from "vscode";
import { displayName } from "../model/arrange.ts";
import { accountsOf } from "../model/terminals/terminalOffer.ts";
import type { ClientTarget } from "../servers/entities.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Clock } from "../support/clock.ts";
import type { Environment } from "../support/environment.ts";
import type { Log } from "../support/log.ts";
import { plainText } from "../support/text.ts";
import { closeDead } from "./deadTerminals.ts";
import { dialTerminal } from "./dialTerminal.ts";
import { followFleet, wayTo } from "./fleetWays.ts";
import { HostTerminal } from "./hostTerminal.ts";
import { newNonce, wantedMarks } from "./marks.ts";
import { ownEnvironment } from "./ownEnvironment.ts";
import type { OpenTerminal, TerminalMemory } from "./terminalMemory.ts";
import type { TypeIntoAll } from "./typeIntoAll.ts";

/** How long the editor may take to say why a terminal was closed. */
const REASON_MS = 2_000;

/** What terminals on hosts need. */
export interface HostTerminalsDeps {
  readonly fleet: Fleet;
  readonly memory: TerminalMemory;
  readonly environment: Environment;
  /** To where what is typed into one of them goes. */
  readonly typing: TypeIntoAll;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is begun, or come back to. */
export type Place = Omit<OpenTerminal, "id" | "nonce"> & { readonly nonce: string };

interface Held {
  readonly place: Place;
  readonly terminal: HostTerminal;
  /** At the host; undefined: it was not told of yet, or has gone. */
  id: OpenTerminal["id"] | undefined;
  /** Called when the way to the host is there again. */
  resolveCut: (() => void) | undefined;
}

/** The terminals of hosts in this window. They outlive it: what is open is found again when it comes back. */
export class HostTerminals {
  readonly #deps: HostTerminalsDeps;
  /** Those that the editor shows. */
  readonly #held = new Set<Held>();
  /** All, also those that the editor was given and has not opened. */
  readonly #known = new WeakMap<object, Held>();
  /** What was opened beside what. */
  readonly #beside = new WeakMap<HostTerminal, readonly HostTerminal[]>();
  readonly #subscriptions: Disposable;
  readonly #unsubscribe: () => void;

  constructor(deps: HostTerminalsDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.fleet.changed.add((change) =>
      followFleet(change, deps.fleet, this.#held),
    );
    this.#subscriptions = Disposable.from(
      window.onDidCloseTerminal((terminal) => this.#closed(terminal)),
      window.onDidChangeWindowState(({ focused }) => {
        if (focused) this.#nudge();
      }),
      window.onDidChangeActiveTerminal(() => deps.typing.focus(this.active)),
    );
  }

  /** Those that the editor shows, the oldest first. */
  get all(): readonly HostTerminal[] {
    return [...this.#held].map(({ terminal }) => terminal);
  }

  /** The one that the keys go to, if that is one of a host. */
  get active(): HostTerminal | undefined {
    return window.activeTerminal === undefined
      ? undefined
      : this.#heldOf(window.activeTerminal)?.terminal;
  }

  /** Whose shell a terminal of the editor is, and what it is called; undefined: of no host. */
  placeOf(terminal: Terminal): Place | undefined {
    return this.#heldOf(terminal)?.place;
  }

  /** Gives the keys to one that the editor shows. */
  show(terminal: HostTerminal): void {
    window.terminals.find((each) => this.#heldOf(each)?.terminal === terminal)?.show();
  }

  /** Those of one split that are still there, of one of them: itself alone when it has none. */
  besides(terminal: HostTerminal): readonly HostTerminal[] {
    const split = this.#beside.get(terminal) ?? [terminal];
    return this.all.filter((each) => split.includes(each));
  }

  /** These were opened at once. */
  keepTogether(options: readonly ExtensionTerminalOptions[]): void {
    const split = options.flatMap(({ pty }) => this.#known.get(pty)?.terminal ?? []);
    for (const terminal of split) this.#beside.set(terminal, split);
  }

  /** As whom a terminal of this host was opened last, if that is still possible. */
  accountOf({ server, client }: ClientTarget): string | undefined {
    const account = this.#deps.memory.accountOf(server.key, client.id);
    return account !== undefined && accountsOf(client).includes(account) ? account : undefined;
  }

  /** It is this one from now on. */
  chooseAccount({ server, client }: ClientTarget, account: string): void {
    this.#deps.memory.keepAccount(server.key, client.id, account);
  }

  /** What the editor opens for a new shell as this account, or as the usual one. */
  options({ server, client }: ClientTarget, account: string | undefined): ExtensionTerminalOptions {
    const place = {
      serverKey: server.key,
      clientId: client.id,
      account,
      name: nameOf(client, account),
      nonce: newNonce(),
    };
    return this.#optionsOf(place, undefined);
  }

  /** Brings back the terminals that this window had, as they are at their hosts. */
  restore(): void {
    const { open } = this.#deps.memory;
    void closeDead(window.terminals, new Set(open.map(({ name }) => name)));
    for (const { id, nonce = newNonce(), ...place } of open) {
      window.createTerminal(this.#optionsOf({ ...place, nonce }, id));
    }
  }

  /** Leaves all of them at their hosts. */
  dispose(): void {
    this.#unsubscribe();
    this.#subscriptions.dispose();
    this.#deps.typing.end();
    for (const held of [...this.#held]) this.#let(held);
  }

  #optionsOf(place: Place, id: OpenTerminal["id"] | undefined): ExtensionTerminalOptions {
    const held: Held = {
      place,
      id,
      terminal: this.#terminalOf(place, id, () => held),
      resolveCut: undefined,
    };
    this.#known.set(held.terminal, held);
    return {
      name: place.name,
      pty: held.terminal,
      iconPath: new ThemeIcon("vm"),
      isTransient: true,
      shellIntegrationNonce: place.nonce,
    };
  }

  #terminalOf(place: Place, id: OpenTerminal["id"] | undefined, held: () => Held): HostTerminal {
    const { fleet, memory, environment, clock, typing } = this.#deps;
    const { serverKey, clientId, name, account, nonce } = place;
    const again: TerminalWish = {
      kind: "new",
      env: ownEnvironment(environment),
      account,
      marks: wantedMarks(nonce),
    };
    return new HostTerminal({
      name,
      host: `${serverKey}/${clientId}`,
      place: `${clientId}, ${fleet.get(serverKey)?.name ?? serverKey}`,
      onInput: (input) => typing.type(held().terminal, input),
      wish: id === undefined ? again : { kind: "resume", id },
      again,
      dial: dialTerminal({
        way: wayTo(serverKey, { fleet, clock }),
        clientId,
        clock,
      }),
      clock,
      random: Math.random,
      onAttached: (attached) => {
        held().id = attached.id;
        tellForgotten(memory.keep({ ...place, id: attached.id }));
      },
      onOpened: () => this.#held.add(held()),
      onGone: () => this.#forget(held()),
      onTold: (sentence) => void window.showWarningMessage(plainText(`${name}: ${sentence}`)),
      onCut: (reason) => this.#cut(held(), reason),
      onClosed: () => this.#leave(held()),
    });
  }

  /** Says below the window that the way is cut, as long as it is. */
  #cut(held: Held, reason: string | undefined): void {
    held.resolveCut?.();
    held.resolveCut = undefined;
    if (reason === undefined) return;
    this.#deps.typing.lose(held.terminal, "cut");
    const { promise, resolve } = Promise.withResolvers<void>();
    held.resolveCut = resolve;
    const text = t("The connection to {0} was lost: {1} Reconnecting...", held.place.name, reason);
    window.setStatusBarMessage(plainText(text), promise);
  }

  #forget(held: Held): void {
    this.#deps.typing.lose(held.terminal, "ended");
    if (held.id !== undefined) this.#deps.memory.forget(held.id);
    held.id = undefined;
  }

  /** The editor says why behind this: a window that goes leaves its terminals, a person ends them. */
  #leave(held: Held): void {
    this.#deps.clock.after(REASON_MS, () => {
      if (this.#held.has(held)) this.#let(held);
    });
  }

  /** Leaves it at its host; the window has nothing more of it. */
  #let(held: Held): void {
    this.#held.delete(held);
    this.#deps.typing.lose(held.terminal, "ended");
    held.terminal.session.detach();
    held.terminal.dispose();
  }

  #heldOf({ creationOptions }: Terminal): Held | undefined {
    const pty = "pty" in creationOptions ? creationOptions.pty : undefined;
    return pty === undefined ? undefined : this.#known.get(pty);
  }

  #closed(closed: Terminal): void {
    const held = this.#heldOf(closed);
    if (held === undefined) return;
    held.resolveCut?.();
    const { exitStatus } = closed;
    if (exitStatus?.reason !== TerminalExitReason.Shutdown) this.#end(held);
    this.#let(held);
  }

  #end(held: Held): void {
    const { id, place, terminal } = held;
    const isToldOf = terminal.session.isAttached;
    terminal.session.close();
    this.#forget(held);
    if (id !== undefined && !isToldOf) this.#endElsewhere(place, id);
  }

  /** There is no way to the host: the server ends it when there is one. Without it, the host does by itself. */
  #endElsewhere({ serverKey }: Place, id: OpenTerminal["id"]): void {
    const { fleet, log } = this.#deps;
    const server = fleet.get(serverKey);
    if (server?.state.kind === "changed") return;
    void server?.api
      .call("deleteTerminal", { params: { terminalId: id } })
      .catch((error: unknown) => log.debug("a terminal was not ended", { error: String(error) }));
  }

  #nudge(): void {
    for (const { terminal } of this.#held) terminal.session.nudge();
  }
}

/** A window remembers so many; the others go on, and are gone from it with the next reload. */
function tellForgotten(terminals: readonly OpenTerminal[]): void {
  for (const { name } of terminals) {
    const sentence = t(
      "This window has too many terminals to remember: a reload does not bring back {0}.",
      name,
    );
    void window.showWarningMessage(plainText(sentence));
  }
}

/** A host with several accounts says which one it is. */
function nameOf(client: Client, account: string | undefined): string {
  const name = plainText(displayName(client));
  const isOneOf = account !== undefined && accountsOf(client).length > 1;
  return isOneOf ? `${name} (${plainText(account)})` : name;
}
