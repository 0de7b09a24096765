import { formatHostPort } from "@rport/protocol/remote";
import { VERSION } from "@rport/protocol/version";
import type { ChangeNumbers } from "../store/changeNumbers.ts";
import type { Audit } from "./entry.ts";

/** An address that is listened on, and who is served there. */
export interface ListeningFacts {
  readonly host: string;
  readonly port: number;
  readonly faces: ReadonlySet<string>;
}

/** Writes down that the server starts, where it listens, and that it stops. */
export class ServerLife {
  readonly #audit: Audit;
  #isStarted = false;

  constructor(audit: Audit) {
    this.#audit = audit;
  }

  /** The server listens at these places, without so many changes that were made and are lost. */
  async started(places: readonly ListeningFacts[], lost: ChangeNumbers): Promise<void> {
    this.#isStarted = true;
    const listening = places.map((one) => `${formatHostPort(one)} ${[...one.faces].join("+")}`);
    const request = {
      version: VERSION,
      pid: process.pid,
      listening,
      lost_changes: lost.commit || undefined,
      lost_document_changes: lost.revision || undefined,
    };
    await this.#audit.record({ application: "server", action: "start", request });
  }

  /** The server stops. Says nothing when it never started. */
  async stopped(): Promise<void> {
    if (!this.#isStarted) return;
    const request = { version: VERSION, pid: process.pid };
    await this.#audit.record({ application: "server", action: "stop", request });
  }
}
