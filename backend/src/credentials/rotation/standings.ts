import type { ClientId } from "@rport/protocol/ids";
import type { RotationClient } from "@rport/protocol/report";
import type { Clock } from "../../platform/clock.ts";
import { SlicedWork } from "../../platform/slices.ts";
import type { ShiftRow } from "../../store/records/shiftRow.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort } from "../ports.ts";
import { firstShift, lostStanding, standingOf } from "./progress.ts";

/** What the standings are read with. */
export interface StandingsDeps {
  readonly clients: Pick<ClientPort, "idsOf" | "clientOf">;
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * Lists of the clients of a rotation, for people: a few milliseconds per turn of the event loop, while
 * clients come, move and go. What is decided by where clients stand is read at once instead.
 */
export class Standings {
  readonly #deps: StandingsDeps;

  constructor(deps: StandingsDeps) {
    this.#deps = deps;
  }

  /** Where each client stands in the rotation that is under way, as `rotationClients`, with its name. */
  async of(entry: LedgerEntry): Promise<RotationClient[]> {
    const { clients, clock } = this.#deps;
    const sliced = new SlicedWork({ clock });
    const found: RotationClient[] = [];
    const seen = new Set<ClientId>();
    await sliced.each(clients.idsOf(entry.id), (id) => {
      const client = clients.clientOf(id);
      if (client?.credentialId !== entry.id) return;
      seen.add(id);
      const standing = standingOf(entry, client);
      if (standing !== undefined) found.push(standing);
    });
    await sliced.each(entry.shifts(), (row) => {
      if (seen.has(row.client_id)) return;
      // Whoever came in with another credential meanwhile is waited for, and has its name elsewhere.
      const name = clients.clientOf(row.client_id)?.name ?? "";
      found.push({ ...lostStanding(entry, row), name });
    });
    return found;
  }

  /** Where each client would begin if the credential's secrets were put in grace now. */
  async firstOf(entry: LedgerEntry, atMs: number): Promise<ShiftRow[]> {
    const { clients, clock } = this.#deps;
    const found: ShiftRow[] = [];
    await new SlicedWork({ clock }).each(clients.idsOf(entry.id), (id) => {
      const client = clients.clientOf(id);
      const first = client?.credentialId === entry.id ? firstShift(entry, client, atMs) : undefined;
      if (first !== undefined) found.push(first);
    });
    return found;
  }

  /** Clients as they stand in these rows; those whose records are gone are left out. */
  async inRows(rows: readonly ShiftRow[]): Promise<RotationClient[]> {
    const { clients, clock } = this.#deps;
    const found: RotationClient[] = [];
    await new SlicedWork({ clock }).each(rows, ({ client_id: id, state, reason }) => {
      const client = clients.clientOf(id);
      if (client === undefined) return;
      found.push({ id, name: client.name, connected: client.connected, state, reason });
    });
    return found;
  }
}
