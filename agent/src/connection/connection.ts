import { AGENT_STOPS } from "@rport/protocol/agent";
import { type CloseReason, WireError } from "@rport/protocol/wire/wireError";
import { sleep } from "../platform/clock.ts";
import { troubleOf } from "../platform/descriptors.ts";
import { textOf } from "../platform/errorText.ts";
import {
  type ConnectionEvent,
  type ConnectionState,
  INITIAL_STATE,
  reduceConnection,
} from "./connectionState.ts";
import { Session, type SessionDeps } from "./session.ts";

/** What a server is told when somebody is in a hurry. */
const CONNECTING_AGAIN = "connecting again";

/** What the loop needs. */
export interface ConnectionLoopDeps {
  /** What each of its sessions is made of. */
  readonly session: SessionDeps;
  /** The JSON of `new_connection`, made afresh for each registration. */
  registration(): Promise<Buffer>;
  /** Told after every change. */
  onState(state: ConnectionState): void;
}

/** Keeps one connection to one of the servers: dials, registers, waits, dials again. */
export class ConnectionLoop {
  readonly #deps: ConnectionLoopDeps;
  #state: ConnectionState = INITIAL_STATE;
  #session: Session | undefined;
  #hurry = new AbortController();

  constructor(deps: ConnectionLoopDeps) {
    this.#deps = deps;
  }

  /** Connects again at once: ends a wait, and a connection. */
  reconnect(): void {
    this.#hurry.abort();
  }

  /** Runs until the signal fires; resolves when the connection is closed. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (this.#state.kind !== "stopped") {
      this.#hurry = new AbortController();
      const wake = AbortSignal.any([signal, this.#hurry.signal]);
      const event = await this.#step(this.#state, wake);
      this.#apply(signal.aborted ? { kind: "stop" } : event);
    }
    this.#session?.close(AGENT_STOPS);
  }

  #apply(event: ConnectionEvent): void {
    this.#state = reduceConnection(this.#state, event);
    this.#deps.onState(this.#state);
  }

  async #step(state: ConnectionState, wake: AbortSignal): Promise<ConnectionEvent> {
    switch (state.kind) {
      case "dialling":
        return await this.#dialAny(wake);
      case "online":
        return await this.#stayOnline(state.server, wake);
      case "waiting":
        await sleep(this.#deps.session.clock, state.delayMs, wake);
        return wake.aborted ? { kind: "hurry" } : { kind: "due" };
      case "stopped":
        return { kind: "stop" };
    }
  }

  /** The servers in their order, without a pause between them. */
  async #dialAny(wake: AbortSignal): Promise<ConnectionEvent> {
    let reason: CloseReason = { kind: "lost", text: "no server" };
    for (const server of this.#deps.session.config.servers) {
      if (wake.aborted) return { kind: "hurry" };
      try {
        const session = await Session.logIn(server, this.#deps.session, wake);
        return await this.#register(session, wake);
      } catch (error) {
        reason = reasonOf(error);
        this.#deps.session.log.debug("an attempt to connect failed", {
          server,
          reason: reason.text,
        });
      }
    }
    return wake.aborted ? { kind: "hurry" } : this.#failed(reason);
  }

  /** A server may let a host wait for a day until somebody approves it: `wake` ends that, too. */
  async #register(session: Session, wake: AbortSignal): Promise<ConnectionEvent> {
    this.#session = session;
    const abandon = () =>
      session.close(this.#hurry.signal.aborted ? CONNECTING_AGAIN : AGENT_STOPS);
    wake.addEventListener("abort", abandon, { once: true });
    try {
      if (wake.aborted) abandon();
      await session.register(await this.#deps.registration());
    } catch (error) {
      session.close("the registration failed");
      return wake.aborted ? { kind: "hurry" } : this.#failed(reasonOf(error));
    } finally {
      wake.removeEventListener("abort", abandon);
    }
    const nowMs = this.#deps.session.clock.monotonic();
    return { kind: "registered", server: session.server, nowMs };
  }

  /** Until the connection ends, the main server is back, or somebody is in a hurry. */
  async #stayOnline(server: string, wake: AbortSignal): Promise<ConnectionEvent> {
    const session = this.#session;
    if (session === undefined) return { kind: "hurry" };
    const over = new AbortController();
    const end = AbortSignal.any([wake, over.signal]);
    const main = this.#findMain(server, end);
    const closed = session.closed.then((reason) => this.#failed(reason));
    const event = await Promise.race([closed, main, whenAborted(wake)]);
    over.abort();
    if (event instanceof Session) {
      session.close("the main server is back");
      return await this.#register(event, wake);
    }
    void main.then((late) => late instanceof Session && late.close("not needed any more"));
    // at a stop, the end of the loop says goodbye
    if (this.#hurry.signal.aborted) session.close(CONNECTING_AGAIN);
    return event;
  }

  /** On a fallback server: resolves with a login at the main one as soon as there is one. */
  async #findMain(server: string, signal: AbortSignal): Promise<Session | ConnectionEvent> {
    const { config, clock, log } = this.#deps.session;
    const [main] = config.servers;
    while (server !== main && config.switchbackMs > 0 && !signal.aborted) {
      await sleep(clock, config.switchbackMs, signal);
      if (signal.aborted) break;
      try {
        return await Session.logIn(main, this.#deps.session, signal);
      } catch (error) {
        log.debug("the main server is not back", { reason: textOf(error) });
      }
    }
    return whenAborted(signal);
  }

  #failed(reason: CloseReason): ConnectionEvent {
    const { clock, random } = this.#deps.session;
    return { kind: "failed", reason, nowMs: clock.monotonic(), random: random() };
  }
}

function whenAborted(signal: AbortSignal): Promise<ConnectionEvent> {
  return new Promise((resolve) => {
    const hurry = () => resolve({ kind: "hurry" });
    if (signal.aborted) hurry();
    else signal.addEventListener("abort", hurry, { once: true });
  });
}

function reasonOf(error: unknown): CloseReason {
  if (!(error instanceof WireError)) return { kind: "local", text: troubleOf(error) };
  const { kind } = error;
  return { kind, text: kind === "lost" ? troubleOf(error) : error.message };
}
