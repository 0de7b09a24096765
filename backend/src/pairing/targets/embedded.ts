import { scriptUrl } from "@rport/protocol/commands";
import { type PairingId, secretIdSchema } from "@rport/protocol/ids";
import type { PairingServiceView } from "@rport/protocol/pairing/model";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { Deposits, type DepositWatcher } from "../deposits/deposits.ts";
import { pairingCommands } from "./commands.ts";
import { sealUses } from "./sealedUses.ts";
import type {
  Deposited,
  PairingDraft,
  PairingTarget,
  PairingWatcher,
  PlainSecret,
} from "./target.ts";

/** What the target needs. */
export interface EmbeddedTargetDeps {
  /** SHA-256 of the installer script at the moment, 64 hexadecimal digits. */
  readonly scriptSha256: () => string;
  /** For which machines there is an agent at the moment. */
  readonly targets: () => readonly string[];
  /** The same of the one for PowerShell; undefined where there is nothing for Windows. */
  readonly powershellSha256?: () => string | undefined;
  /** What hosts recognise the server by that come by TLS; undefined: they trust its certificate. */
  readonly tlsPin?: () => TlsPin | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Pairings that this server hands out by itself. It keeps envelopes that it cannot open; the token that
 * opens them is in the answer of `deposit` and nowhere else.
 */
export class EmbeddedTarget implements PairingTarget {
  readonly view: PairingServiceView = { kind: "embedded", url: "" };
  /** Where installers claim and report. */
  readonly deposits: Deposits;
  readonly #deps: EmbeddedTargetDeps;
  #watcher: PairingWatcher | undefined;

  constructor(deps: EmbeddedTargetDeps) {
    const { clock, log } = deps;
    this.#deps = deps;
    this.deposits = new Deposits({ clock, log, watcher: this.#watch() });
  }

  watch(watcher: PairingWatcher): void {
    this.#watcher = watcher;
  }

  async deposit(draft: PairingDraft, secrets: readonly PlainSecret[]): Promise<Deposited> {
    const { payload, hostname, expiresAtMs, deadlineMs } = draft;
    const { token, parts, uses: sealed } = sealUses(draft, secrets);
    const { id, claimKey } = parts;
    const uses = sealed.map(({ secretId: useId, envelope }) => ({ useId, sealed: envelope }));
    this.deposits.add({ id, claimKey, uses, hostname, deadlineMs });
    const url = payload.server_urls[0] ?? "";
    const sha256 = this.#deps.scriptSha256();
    const targets = this.#deps.targets();
    const powershellSha256 = this.#deps.powershellSha256?.();
    const tlsPin = this.#deps.tlsPin?.();
    return {
      id,
      token,
      tlsPin,
      scriptUrl: scriptUrl(url, id),
      scriptSha256: sha256,
      commands: pairingCommands({ url, id, sha256, powershellSha256, token, targets, tlsPin }),
      expiresAtMs,
    };
  }

  async revoke(id: PairingId): Promise<void> {
    this.deposits.end(id);
  }

  /** Forgets and overwrites everything. */
  close(): void {
    this.deposits.close();
  }

  #watch(): DepositWatcher {
    return {
      onFetched: (id, address) => this.#watcher?.onFetched(id, address),
      onClaimed: (id, { useId, clientId, hostname, address }) => {
        const secretId = secretIdSchema.parse(useId);
        this.#watcher?.onClaimed(id, { secretId, clientId, hostname, address });
      },
      onRefused: (id, address, why) => this.#watcher?.onRefused(id, address, why),
      onReported: (id, report, address) => this.#watcher?.onReported(id, report, address),
      onGuessed: (id) => this.#watcher?.onGuessed(id),
    };
  }
}
