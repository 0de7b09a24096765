import { createHash } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import type { PairingId } from "@rport/protocol/ids";
import type { PairingServiceView } from "@rport/protocol/pairing/model";
import {
  RPORT_POWERSHELL,
  RPORT_SCRIPT_MAX_BYTES,
  rportLinuxCommand,
  rportWindowsCommand,
} from "@rport/protocol/pairing/rportCommand";
import { newPairingToken, tokenParts } from "@rport/protocol/sealing";
import type { Clock } from "../../platform/clock.ts";
import { askService } from "./askService.ts";
import { isMadeOf, type RportDeposit, readCode, requireCarried } from "./rportDeposit.ts";
import { serviceTrouble } from "./serviceTrouble.ts";
import type {
  Deposited,
  PairingDraft,
  PairingTarget,
  PairingWatcher,
  PlainSecret,
} from "./target.ts";

/** What the target needs. */
export interface RportPairingTargetDeps {
  /** RPort's pairing service: `http(s)://host[:port][/path]`. */
  readonly url: string;
  /** The server key's fingerprint in RPort's MD5 form. */
  readonly md5Fingerprint: string;
  readonly clock: Clock;
}

/**
 * RPort's own pairing service, by its own contract. It keeps what it is given in plain text, hands it to
 * whoever knows its code, as often as they ask, and installs RPort's own client.
 */
export class RportPairingTarget implements PairingTarget {
  readonly view: PairingServiceView;
  readonly #deps: RportPairingTargetDeps;

  constructor(deps: RportPairingTargetDeps) {
    this.#deps = deps;
    this.view = { kind: "rport-pairing", url: deps.url };
  }

  /** It tells nobody anything. */
  watch(_watcher: PairingWatcher): void {}

  async deposit(draft: PairingDraft, secrets: readonly PlainSecret[]): Promise<Deposited> {
    const deposit = this.#depositOf(draft, secrets);
    const { url, clock } = this.#deps;
    const answer = await askService({ url, path: "/", method: "POST", body: deposit });
    const { code, expiresAtMs } = readCode(answer, url, clock.now());
    const script = await this.#script(code, "curl/8", deposit);
    const windows = await this.#script(code, RPORT_POWERSHELL, deposit);
    const parts = { url: `${url.replace(/\/+$/, "")}/${code}`, sha256: sha256Of(script) };
    const linux = (["curl", "wget"] as const).map((tool) => ({
      platform: "linux",
      tool,
      text: rportLinuxCommand({ ...parts, tool, sudo: true, flags: [] }),
    }));
    return {
      // Its code has another alphabet, and is for the line alone.
      id: tokenParts(newPairingToken()).id,
      token: undefined,
      scriptUrl: parts.url,
      scriptSha256: parts.sha256,
      commands: [...linux, ...forWindows({ url: parts.url, script: windows })],
      expiresAtMs: Math.min(expiresAtMs, draft.expiresAtMs),
    };
  }

  /** It cannot take anything back; what it gave away is revoked by its owner. */
  async revoke(_id: PairingId): Promise<void> {}

  #depositOf(draft: PairingDraft, secrets: readonly PlainSecret[]): RportDeposit {
    const { payload, hostname } = draft;
    const [only, ...others] = secrets;
    if (only === undefined || others.length > 0) throw cannot("more hosts than one");
    if (hostname !== "") throw cannot("one host only");
    if (payload.name !== "") throw cannot("a host with a display name");
    if (payload.tags.length > 0) throw cannot("a host with tags");
    const deposit = {
      connect_url: payload.server_urls[0] ?? "",
      fingerprint: this.#deps.md5Fingerprint,
      client_id: payload.auth_id,
      password: only.secret,
    };
    requireCarried(deposit);
    return deposit;
  }

  /** What was deposited is in the script as it is: nobody has changed it, and it was quoted rightly. */
  async #script(code: string, userAgent: string, deposit: RportDeposit): Promise<string> {
    const { url } = this.#deps;
    const question = { url, path: `/${code}`, method: "GET", userAgent } as const;
    const { status, text } = await askService({ ...question, maxBytes: RPORT_SCRIPT_MAX_BYTES });
    if (status !== 200 || !isMadeOf(text, deposit)) throw serviceTrouble(url, "tampered");
    return text;
  }
}

/** A service may know one kind of script only, and hand that to everybody. */
function forWindows({ url, script }: { readonly url: string; readonly script: string }) {
  if (script.startsWith("#!")) return [];
  const text = rportWindowsCommand({ url, sha256: sha256Of(script) });
  return [{ platform: "windows", tool: "powershell", text }];
}

function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function cannot(what: string): RportError {
  const title = `RPort's pairing service cannot make a pairing for ${what}.`;
  return new RportError("PAIRING_UNFIT", title, { detail: "This server's own pairing can." });
}
