import type { Socket } from "node:net";
import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import type { AccessSource } from "../api/access.ts";
import type { Clock } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import type { Log } from "../support/log.ts";
import { carry } from "../tunnels/stream.ts";
import { FramedStream, type Said } from "./bridge/framedStream.ts";
import {
  BRIDGE_VERSION,
  failureText,
  namingSchema,
  type Opening,
  openingSchema,
  parsed,
} from "./bridge/opening.ts";
import { type Findable, findHost } from "./findHost.ts";
import { type Told, whyUntold } from "./whyUntold.ts";

/** So many connections are carried for programs of this computer at once. */
const BRIDGES_MAX = 500;
/** A program that has proven who it is says at once what it wants. */
const OPENING_MS = 20_000;

/** What carrying connections for programs of this computer needs. */
export interface DoorDeps {
  /** Resolves when those of the last time are known, too. */
  readonly ready: () => Promise<void>;
  /** All hosts that are known now. */
  readonly hosts: Findable;
  /** What `ssh` is told of them, in the window that tells it. */
  readonly told: Told;
  /** How to get into a server; undefined when it is not configured. */
  readonly accessTo: (serverKey: string) => AccessSource | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Carries connections to hosts for programs of this computer that have proven to be this person's. They are told
 * no secret: this window signs in for them.
 */
export class Door {
  readonly #deps: DoorDeps;
  /** By the server that they lead to; undefined while they have not said where. */
  readonly #open = new Map<FramedStream, string | undefined>();

  constructor(deps: DoorDeps) {
    this.#deps = deps;
  }

  /** Takes a program's socket, which is paused, and what version it speaks. */
  serve(socket: Socket, version: number): void {
    if (version !== BRIDGE_VERSION) {
      socket.destroySoon();
      return;
    }
    let isAsked = false;
    const stream: FramedStream = new FramedStream(socket, (said) => {
      if (isAsked) {
        stream.destroy();
        return;
      }
      isAsked = true;
      timer.cancel();
      void this.#answer(stream, said);
    });
    const timer = this.#deps.clock.after(OPENING_MS, () => stream.destroy());
    stream.on("error", () => undefined);
    stream.once("close", () => {
      timer.cancel();
      this.#open.delete(stream);
    });
    if (this.#open.size >= BRIDGES_MAX) {
      const why = t("This window carries too many connections already.");
      this.#refuse(stream, new RportError("UNAVAILABLE", why));
      return;
    }
    this.#open.set(stream, undefined);
  }

  /** Cuts the connections to these servers, and tells the programs why. */
  cut(isMeant: (serverKey: string) => boolean, why: RportError): void {
    for (const [stream, serverKey] of this.#open) {
      if (serverKey !== undefined && isMeant(serverKey)) this.#refuse(stream, why);
    }
  }

  /** Cuts all connections. */
  dispose(): void {
    for (const stream of this.#open.keys()) stream.destroy();
  }

  async #answer(stream: FramedStream, said: Said): Promise<void> {
    const opening = said.kind === "opening" ? parsed(said.text, openingSchema) : undefined;
    const naming = said.kind === "naming" ? parsed(said.text, namingSchema) : undefined;
    try {
      await this.#deps.ready();
      if (opening !== undefined) this.#carry(stream, opening);
      else if (naming !== undefined) await this.#explain(stream, naming.name);
      else stream.destroy();
    } catch (error) {
      this.#refuse(stream, error);
    }
  }

  async #explain(stream: FramedStream, name: string): Promise<void> {
    const { hosts, told } = this.#deps;
    stream.say("failed", failureText(await whyUntold(name, hosts, told)));
    stream.destroy();
  }

  #carry(stream: FramedStream, { client, host, port }: Opening): void {
    const { hosts, accessTo, log } = this.#deps;
    const { serverKey, id: clientId } = findHost(client, hosts).host;
    const access = accessTo(serverKey);
    if (access === undefined) throw serverGone();
    if (stream.destroyed) return;
    this.#open.set(stream, serverKey);
    const carried = { received: 0, sent: 0 };
    carry(
      stream,
      { access, clientId, remote: { host, port } },
      {
        carried,
        onOpen: () => stream.say("ready"),
        onAnswer: () => undefined,
        onEnd: (end) => {
          if (end.kind !== "done") stream.say("failed", failureText(end.error));
          log.info("a connection of a program has ended", { end: end.kind, port, ...carried });
        },
      },
    );
  }

  #refuse(stream: FramedStream, error: unknown): void {
    this.#deps.log.warn("a connection of a program was refused", { why: describeError(error) });
    stream.say("failed", failureText(error));
    stream.destroy();
  }
}

/** Why nothing is carried to a server that is not in the settings any more. */
export function serverGone(): RportError {
  return new RportError("NOT_FOUND", t("The server of this host is not configured any more."));
}
