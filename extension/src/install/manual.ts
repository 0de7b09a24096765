import type { SheetState } from "@rport/protocol/sheet";
import type { Server } from "../servers/server.ts";
import type { Clock, Timer } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import { type ManualParts, manualText } from "./manualText.ts";

/** How long a secret stands on the screen. */
const SHOWN_MS = 30_000;

/** What the manual way needs. */
export interface ManualDeps {
  readonly server: Server;
  readonly authId: string;
  readonly clock: Clock;
  readonly onChange: () => void;
}

interface Made {
  readonly secretId: string;
  readonly text: string;
  readonly masked: string;
}

type State = SheetState["manual"];

/**
 * The configuration for one host that gets nothing from the installer, with a secret of its own. The
 * secret is in memory only, until the sheet closes.
 */
export class Manual {
  readonly #deps: ManualDeps;
  #made: Made | undefined;
  #other: Exclude<State, { kind: "made" }> = { kind: "none" };
  #hiding: Timer | undefined;

  constructor(deps: ManualDeps) {
    this.#deps = deps;
  }

  /** What the page shows: the secret only while somebody wants to see it. */
  get state(): State {
    if (this.#made === undefined) return this.#other;
    const isShown = this.#hiding !== undefined;
    return { kind: "made", text: isShown ? this.#made.text : this.#made.masked, isShown };
  }

  /** The whole text, for the clipboard or a file; undefined: there is none. */
  get text(): string | undefined {
    return this.#made?.text;
  }

  /** Makes a secret and what it stands in; the one before stays until it is revoked. */
  async make(parts: Omit<ManualParts, "authId" | "secret">): Promise<void> {
    const { server, authId } = this.#deps;
    this.#forget({ kind: "making" });
    try {
      const call = { params: { authId }, body: {} };
      const { secret_id: secretId, password: secret } = await server.api.call("addSecret", call);
      const masked = manualText({ ...parts, authId, secret: "\u2022".repeat(16) });
      this.#made = { secretId, text: manualText({ ...parts, authId, secret }), masked };
      this.#deps.onChange();
    } catch (error) {
      this.#forget({ kind: "failed", reason: describeError(error) });
    }
  }

  /** Shows the secret for half a minute, or hides it. */
  toggle(): void {
    const isShown = this.#hiding !== undefined;
    this.#hiding?.cancel();
    const { clock, onChange } = this.#deps;
    this.#hiding = isShown ? undefined : clock.after(SHOWN_MS, () => this.toggle());
    onChange();
  }

  /** Revokes the secret. Throws what the server says. */
  async revoke(): Promise<void> {
    if (this.#made === undefined) return;
    const { server, authId } = this.#deps;
    const { secretId } = this.#made;
    await server.api.call("revokeSecret", { params: { authId, secretId } });
    this.#forget({ kind: "revoked" });
  }

  /** Forgets the secret. */
  dispose(): void {
    this.#hiding?.cancel();
    this.#made = undefined;
  }

  #forget(other: Exclude<State, { kind: "made" }>): void {
    this.#hiding?.cancel();
    this.#hiding = undefined;
    this.#made = undefined;
    this.#other = other;
    this.#deps.onChange();
  }
}
