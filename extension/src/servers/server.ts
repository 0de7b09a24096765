import type { EventMessage } from "@rport/protocol/events";
import type { Secret } from "@rport/protocol/model";
import type { Right } from "@rport/protocol/people/right";
import type { RotationClient } from "@rport/protocol/report";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { t } from "@vscode/l10n";
import type { Access, AccessSource } from "../api/access.ts";
import { EventSocket, type EventsEnd } from "../api/events.ts";
import { Api } from "../api/http.ts";
import { ArrangedClients } from "../model/arrange.ts";
import { type ConnectionEvent, type ConnectionState, nextState } from "../model/connectionState.ts";
import { Mirror } from "../model/mirror.ts";
import { may, type Rights, UNKNOWN } from "../model/rights.ts";
import type { Timer } from "../support/clock.ts";
import { Listeners } from "../support/listeners.ts";
import { isLocalUrl } from "./config.ts";
import { tellClock, tellConnection } from "./connectionLog.ts";
import { FetchedLists } from "./fetchedLists.ts";
import { People } from "./people.ts";
import type { ServerChange } from "./serverChange.ts";
import type { ServerDeps } from "./serverDeps.ts";
import { ServerTime } from "./serverTime.ts";
import { askWhoIAm, askWhyRefused } from "./whoAmI.ts";

/** A local backend that was started is found within a second; looking for its file costs next to nothing. */
const LONGEST_LOCAL_RETRY_MS = 900;

/** One server: its connection, which repairs itself, and a mirror of its model. */
export class Server {
  /** Unique among the servers, and stable. */
  readonly key: string;
  readonly isLocal: boolean;
  readonly api: Api;
  readonly access: AccessSource;
  readonly mirror = new Mirror();
  readonly clients = new ArrangedClients();
  readonly changed = new Listeners<ServerChange>();
  /** Secrets by credential. */
  readonly secrets: FetchedLists<Secret>;
  /** Where the clients of a rotating credential stand, with the reasons; by credential. */
  readonly rotations: FetchedLists<RotationClient>;
  readonly people: People;
  /** What time it is there. */
  readonly time: ServerTime;
  /** What its TLS key is recognised by; undefined: its certificate has to be trusted. */
  readonly tlsPin: TlsPin | undefined;
  readonly #deps: ServerDeps;
  #name: string;
  #fingerprint: string;
  #state: ConnectionState = { kind: "stopped" };
  #socket: EventSocket | undefined;
  #retry: Timer | undefined;
  #heardAtMs: number | undefined;
  #address = "";
  #rights = UNKNOWN;

  constructor(deps: ServerDeps) {
    const { config, access, fetch } = deps;
    this.#deps = deps;
    this.key = config.url;
    this.#name = config.name;
    this.isLocal = isLocalUrl(config.url);
    this.tlsPin = config.tlsPin;
    this.#fingerprint = config.fingerprint;
    this.access = access;
    this.api = new Api({ access, fetch });
    this.people = new People(this.api);
    this.time = new ServerTime(deps.clock);
    this.secrets = new FetchedLists((authId) =>
      this.api.call("listSecrets", { params: { authId } }),
    );
    this.rotations = new FetchedLists(async (authId) => {
      const { clients } = await this.api.call("getRotation", { params: { authId } });
      return clients;
    });
  }

  /** What people call it. */
  get name(): string {
    return this.#name;
  }

  /** The fingerprint that its key has to have; empty while none is known. */
  get fingerprint(): string {
    return this.#fingerprint;
  }

  /** Where the connection stands. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** When the server was last heard of (milliseconds since the epoch); undefined: never. */
  get heardAtMs(): number | undefined {
    return this.#heardAtMs;
  }

  /** The server's address; empty for a local backend that has not been found yet. */
  get address(): string {
    return this.isLocal ? this.#address : this.key;
  }

  /** Who one is there, and what one may do, as the server said at the last connect. */
  get rights(): Rights {
    return this.#rights;
  }

  /** Whether one may do there what needs this right. */
  may(right: Right): boolean {
    return may(this.#rights, right);
  }

  /** Connects now; also when it is connected already, for a fresh snapshot. */
  connect(): void {
    this.#happen({ kind: "wanted" });
  }

  /** Tries at once, where it would be tried later. */
  retryNow(): void {
    if (this.#state.kind === "waiting") this.connect();
  }

  /** Ends the connection and waits for `connect`. */
  disconnect(): void {
    this.#happen({ kind: "unwanted" });
  }

  /** Somebody signed out: forgets what the server told, and waits for a sign-in. */
  signOut(): void {
    this.#happen({ kind: "noToken" });
    this.#forget();
  }

  #forget(): void {
    this.#rights = UNKNOWN;
    this.mirror.clear();
    this.clients.reset(this.mirror);
    this.secrets.clear();
    this.rotations.clear();
    this.people.clear();
    this.#heardAtMs = undefined;
    this.changed.emit({ kind: "reset" });
  }

  /** From now on the server with this key is the right one. */
  acceptFingerprint(fingerprint: string): void {
    const isNew = fingerprint !== this.#fingerprint;
    this.#fingerprint = fingerprint;
    if (isNew) this.#deps.rememberFingerprint(fingerprint);
    this.connect();
  }

  /** Calls it otherwise from now on; false: it was called so. Whoever calls tells the views. */
  rename(name: string): boolean {
    const isNew = name !== this.#name;
    this.#name = name;
    return isNew;
  }

  #happen(event: ConnectionEvent): void {
    const before = this.#state;
    this.#state = nextState(before, event);
    if (this.#state === before) return;
    tellConnection(this.#deps.log, this.name, this.#state);
    this.#enter(this.#state);
    this.changed.emit({ kind: "state" });
  }

  #enter(state: ConnectionState): void {
    this.#retry?.cancel();
    if (state.kind === "connected") return;
    this.#socket?.close();
    this.#socket = undefined;
    this.mirror.abandon();
    if (state.kind === "connecting") void this.#open(state);
    if (state.kind === "waiting") {
      this.#retry = this.#deps.clock.after(state.delayMs, () => this.#happen({ kind: "retryDue" }));
    }
  }

  async #open(mine: ConnectionState): Promise<void> {
    const access = await this.access().catch(
      (): Access => ({ kind: "unavailable", reason: t("The token could not be read.") }),
    );
    // somebody may have connected again, or signed out, meanwhile
    if (this.#state !== mine) {
      if (access.kind === "ready") access.connection?.close();
      return;
    }
    if (access.kind === "noToken") this.#happen({ kind: "noToken", why: access.why });
    if (access.kind === "unavailable") this.#lose(access.reason);
    if (access.kind !== "ready") return;
    this.#address = access.url;
    this.#fingerprint = access.fingerprint ?? this.#fingerprint;
    this.#socket = new EventSocket({
      access,
      clock: this.#deps.clock,
      onMessage: (message) => this.#receive(message),
      onEnd: (end) => this.#end(end),
    });
  }

  #receive(message: EventMessage): void {
    if (message.type === "snapshot") {
      if (!this.#recognise(message.server.fingerprint_sha256)) return;
      this.time.isToldToBe(message.at);
      tellClock(this.#deps.log, this.name, this.time.aheadMs);
    }
    const applied = this.mirror.apply(message);
    if (applied.kind === "gap") {
      this.connect();
      return;
    }
    this.#heardAtMs = this.#deps.clock.now();
    if (applied.kind === "flood") this.#lose(applied.reason);
    if (applied.kind === "partial" || applied.kind === "flood") return;
    if (applied.kind === "reset") {
      this.clients.reset(this.mirror);
      void this.#enterAsMe(this.#state);
      return;
    }
    const changes = applied.changes.map((change) => ({
      change,
      rearranged: change.entity === "client" ? this.clients.update(change) : undefined,
    }));
    this.changed.emit({ kind: "changed", changes });
  }

  /**
   * What one may do is asked for after the snapshot has come, because whoever changes it has the
   * server end the connection from there on; and it is known before anything is shown.
   */
  async #enterAsMe(mine: ConnectionState): Promise<void> {
    const me = await askWhoIAm(this.api);
    if (this.#state !== mine) return;
    if (me.kind === "lost") this.#lose(me.reason);
    if (me.kind === "refused") {
      this.#end({ kind: "unauthorized", reason: me.reason, wasOpen: false });
    }
    if (me.kind !== "known") return;
    this.#rights = me.rights;
    this.#happen({ kind: "opened" });
    this.changed.emit({ kind: "reset" });
  }

  /** Whether the server is the one it should be: a local backend has the key its file names. */
  #recognise(actual: string): boolean {
    if (actual === this.#fingerprint) return true;
    if (this.isLocal) {
      this.#lose(t("What answers there has another server key than the backend's file says."));
      return false;
    }
    if (this.#fingerprint === "") {
      this.#fingerprint = actual;
      this.#deps.rememberFingerprint(actual);
      return true;
    }
    this.#happen({ kind: "mismatched", expected: this.#fingerprint, actual });
    return false;
  }

  #end(end: EventsEnd): void {
    if (end.kind === "lost") {
      this.#lose(end.reason);
      return;
    }
    // a local backend that was started again has a new token, which the next attempt reads
    if (this.isLocal) this.#lose(t("The backend was started again."));
    else if (end.wasOpen) void this.#refuseSayingWhy(this.#state, end.reason);
    else this.#refuse(end.reason);
  }

  async #refuseSayingWhy(mine: ConnectionState, word: string): Promise<void> {
    const reason = await askWhyRefused(this.api, this.#deps.clock);
    if (this.#state === mine) this.#refuse(reason ?? word);
  }

  /** The token is worth nothing any more, and so nobody is to see what it had opened. */
  #refuse(reason: string): void {
    this.#happen({ kind: "refused", reason });
    this.#forget();
  }

  #lose(reason: string): void {
    const longestMs = this.isLocal ? LONGEST_LOCAL_RETRY_MS : undefined;
    this.#happen({ kind: "lost", reason, random: this.#deps.random(), longestMs });
  }
}

/** Whether what is known of a server may be out of date. */
export function isAway({ state }: Pick<Server, "state">): boolean {
  return state.kind !== "connected";
}
