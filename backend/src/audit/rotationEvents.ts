import type { AuthId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import type { Audit } from "./entry.ts";

/** Why a rotation ended: its grace was over, everybody had moved, or all agents had answered. */
export type RotationEnd = "time" | "moved" | "answered";

/** Writes down rotations that end without a person asking. Nobody waits for these entries. */
export class RotationEvents {
  readonly #audit: Audit;

  constructor(audit: Audit) {
    this.#audit = audit;
  }

  /** The old secrets of a credential open nothing any more; who was cut, and which pairings ended. */
  ended(id: AuthId, why: RotationEnd, report: DeletionReport): void {
    const { clients, disconnected, pairings } = report;
    this.#audit.note({
      application: "client.auth.rotation",
      action: "finish",
      affectedId: id,
      request: { why },
      response: { clients: clients.map((client) => client.id), disconnected, pairings },
    });
  }
}
