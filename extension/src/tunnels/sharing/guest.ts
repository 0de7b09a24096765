import type { Socket } from "node:net";
import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import type { Traffic } from "../../model/tunnels/traffic.ts";
import type { Clock, Timer } from "../../support/clock.ts";
import type { LocalTunnel } from "../localTunnel.ts";
import { LineSocket } from "./lineSocket.ts";
import {
  type Act,
  type Answer,
  errorOf,
  type GuestMessage,
  type KeeperMessage,
  keeperMessageSchema,
  type SentTunnel,
} from "./messages.ts";

/** A window that is alive answers at once, or after it has tried a port. */
export const ANSWER_MS = 30_000;

/** How a guest was received. */
export type Reception = "welcome" | "gone";

/** What a guest needs. */
export interface GuestDeps {
  /** Of a window that has proven to be one of this person. */
  readonly socket: Socket;
  readonly clock: Clock;
  /** Called with the whole list, the first time before `reception` is known to be a welcome. */
  readonly onTunnels: (tunnels: readonly LocalTunnel[]) => void;
  /** Called once, when the window with the tunnels is gone. */
  readonly onEnd: () => void;
}

interface Asked {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: RportError) => void;
  readonly timer: Timer;
}

/** This window at the one that holds the tunnels. */
export class Guest {
  /** Known when the first list is there, or when none will come. */
  readonly reception: Promise<Reception>;
  readonly #deps: GuestDeps;
  readonly #line: LineSocket<KeeperMessage, GuestMessage>;
  readonly #asked = new Map<number, Asked>();
  #received: (reception: Reception) => void = () => undefined;
  #lastAsk = 0;

  constructor(deps: GuestDeps) {
    this.#deps = deps;
    this.reception = new Promise((resolve) => {
      this.#received = resolve;
    });
    this.#line = new LineSocket(deps.socket, keeperMessageSchema, {
      message: (message) => this.#take(message),
      end: () => this.#end(),
    });
    const timer = deps.clock.after(ANSWER_MS, () => this.#line.close());
    void this.reception.then(() => timer.cancel());
  }

  /** Has something done there; answers the tunnel that came of it, and throws what was thrown there. */
  async ask(act: Act): Promise<LocalTunnel | undefined> {
    const { tunnel } = await this.#answerTo((ask) => ({ type: "ask", ask, act }));
    return tunnel === undefined ? undefined : tunnelOf(tunnel);
  }

  /** What went through a tunnel until now; undefined when it is not open. */
  async look(id: string): Promise<Traffic | undefined> {
    return (await this.#answerTo((ask) => ({ type: "look", ask, id }))).traffic;
  }

  /** Leaves; nothing is called any more but `onEnd`. */
  close(): void {
    this.#line.close();
  }

  #answerTo(message: (ask: number) => GuestMessage): Promise<Answer> {
    this.#lastAsk += 1;
    const ask = this.#lastAsk;
    return new Promise((resolve, reject) => {
      const timer = this.#deps.clock.after(ANSWER_MS, () => {
        this.#asked.delete(ask);
        reject(gone(t("The window that holds the tunnels does not answer.")));
      });
      this.#asked.set(ask, { resolve, reject, timer });
      this.#line.send(message(ask));
    });
  }

  #take(message: KeeperMessage): void {
    if (message.type === "tunnels") {
      this.#deps.onTunnels(message.tunnels.map(tunnelOf));
      this.#received("welcome");
    } else {
      const asked = this.#asked.get(message.ask);
      this.#asked.delete(message.ask);
      asked?.timer.cancel();
      if (message.error !== undefined) asked?.reject(errorOf(message.error));
      else asked?.resolve(message);
    }
  }

  #end(): void {
    this.#received("gone");
    for (const { reject, timer } of this.#asked.values()) {
      timer.cancel();
      reject(gone(t("The window that held the tunnels was closed meanwhile.")));
    }
    this.#asked.clear();
    this.#deps.onEnd();
  }
}

function gone(sentence: string): RportError {
  return new RportError("UNAVAILABLE", sentence);
}

/** JSON leaves out what is undefined. */
function tunnelOf(sent: SentTunnel): LocalTunnel {
  return { ...sent, failure: sent.failure, broke: sent.broke };
}
