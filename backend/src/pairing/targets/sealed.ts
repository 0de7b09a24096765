import { randomBytes } from "node:crypto";
import { scriptUrl } from "@rport/protocol/commands";
import { errorEnvelopeSchema } from "@rport/protocol/errors";
import type { PairingId, SecretId } from "@rport/protocol/ids";
import type { PairingServiceView } from "@rport/protocol/pairing/model";
import {
  type DepositRequest,
  SERVICE_PATH,
  type ServiceStep,
} from "@rport/protocol/pairing/service";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { askService, jsonOf, type ServiceAnswer, type ServiceQuestion } from "./askService.ts";
import { pairingCommands } from "./commands.ts";
import { type SealedUses, sealUses } from "./sealedUses.ts";
import { ServiceSteps } from "./serviceSteps.ts";
import { serviceTrouble } from "./serviceTrouble.ts";
import type {
  Deposited,
  PairingDraft,
  PairingTarget,
  PairingWatcher,
  PlainSecret,
} from "./target.ts";

/** What comes after the end of a deposit is told for so long. */
const NEWS_AFTER_END_MS = 12 * 60_000;

/** An installer script as it is. */
export interface InstallerScript {
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: Buffer;
}

/** The installer scripts of a release. */
export interface InstallerScripts {
  /** For a POSIX shell. */
  readonly sh: InstallerScript;
  /** For PowerShell; undefined where the release has nothing for Windows. */
  readonly ps1: InstallerScript | undefined;
  readonly targets: readonly string[];
}

/** What the target needs. */
export interface SealedTargetDeps {
  /** The pairing service: `http(s)://host[:port][/path]`. */
  readonly url: string;
  /** By which it knows this server; undefined: it has no list of servers. */
  readonly key: string | undefined;
  /** The installer scripts at the moment, and for which machines there is an agent. */
  readonly scripts: () => Promise<InstallerScripts>;
  /** What hosts recognise the server by that come by TLS; undefined: they trust its certificate. */
  readonly tlsPin?: () => TlsPin | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A pairing service of ours apart from this server. It gets envelopes that it cannot open; the script
 * that it hands out is this server's, whose hash is in the line. What it tells is believed for what people are shown.
 */
export class SealedTarget implements PairingTarget {
  readonly view: PairingServiceView;
  readonly #deps: SealedTargetDeps;
  readonly #steps: ServiceSteps;
  #watcher: PairingWatcher | undefined;

  constructor(deps: SealedTargetDeps) {
    const { url, clock, log } = deps;
    this.#deps = deps;
    this.view = { kind: "sealed", url };
    this.#steps = new ServiceSteps({ url, clock, log });
  }

  watch(watcher: PairingWatcher): void {
    this.#watcher = watcher;
  }

  async deposit(draft: PairingDraft, secrets: readonly PlainSecret[]): Promise<Deposited> {
    const { url, clock } = this.#deps;
    const scripts = await this.#deps.scripts();
    const sealed = sealUses(draft, secrets);
    const watchKey = randomBytes(32).toString("base64url");
    const leftMs = draft.deadlineMs - clock.monotonic();
    await this.#put(sealed, { draft, watchKey, leftMs, scripts });
    const { token, parts } = sealed;
    const { id } = parts;
    const unclaimed = new Set(secrets.map(({ secretId }) => secretId));
    this.#steps.add(id, {
      watchKey,
      forMs: leftMs + NEWS_AFTER_END_MS,
      onStep: (step) => this.#tell({ id, unclaimed }, step),
    });
    const server = draft.payload.server_urls[0] ?? "";
    const { sha256 } = scripts.sh;
    const lines = { url: server, pairingUrl: url, id, sha256, token, targets: scripts.targets };
    const tlsPin = this.#deps.tlsPin?.();
    return {
      id,
      token,
      tlsPin,
      scriptUrl: scriptUrl(url, id),
      scriptSha256: sha256,
      commands: pairingCommands({ ...lines, powershellSha256: scripts.ps1?.sha256, tlsPin }),
      expiresAtMs: draft.expiresAtMs,
    };
  }

  async revoke(id: PairingId): Promise<void> {
    const bearer = this.#steps.watchKeyOf(id);
    if (bearer === undefined) return;
    const answer = await this.#ask({ path: `/deposits/${id}`, method: "DELETE", bearer });
    if (answer.status !== 200) throw this.#refusal(answer);
  }

  /** Watches no more. */
  close(): void {
    this.#steps.close();
  }

  async #put(sealed: SealedUses, given: Given): Promise<void> {
    const body = requestOf(sealed, given);
    const path = `/deposits/${sealed.parts.id}`;
    const question = { path, method: "PUT", body, bearer: this.#deps.key } as const;
    const { sh, ps1 } = given.scripts;
    const left = new Set(ps1 === undefined ? [sh] : [sh, ps1]);
    for (;;) {
      const answer = await this.#ask(question);
      if (answer.status === 201) return;
      // Each is brought once: a service that goes on asking for it does not keep it.
      const lacked = [...left].find((script) => this.#lacksScript(answer, script));
      if (lacked === undefined) throw this.#refusal(answer);
      left.delete(lacked);
      await this.#bring(lacked);
    }
  }

  async #bring({ sha256, bytes }: InstallerScript): Promise<void> {
    const path = `/scripts/${sha256}`;
    const question = { path, method: "PUT", body: bytes, bearer: this.#deps.key } as const;
    const answer = await this.#ask(question);
    if (answer.status !== 200) throw this.#refusal(answer);
  }

  #ask(question: Omit<ServiceQuestion, "url">): Promise<ServiceAnswer> {
    const { url } = this.#deps;
    return askService({ ...question, url, path: SERVICE_PATH + question.path });
  }

  #lacksScript(answer: ServiceAnswer, { sha256 }: InstallerScript): boolean {
    return answer.status === 409 && this.#errorOf(answer)?.detail === sha256;
  }

  #refusal(answer: ServiceAnswer) {
    const error = this.#errorOf(answer);
    const word = error === undefined ? "not-json" : "refused";
    return serviceTrouble(this.#deps.url, word, { said: error?.title ?? "" });
  }

  #errorOf(answer: ServiceAnswer) {
    return errorEnvelopeSchema.safeParse(jsonOf(answer, this.#deps.url)).data?.errors[0];
  }

  #tell(told: ToldOf, step: ServiceStep): void {
    const { id } = told;
    const { address } = step;
    if (step.kind === "fetched") this.#watcher?.onFetched(id, address);
    else if (step.kind === "claimed") this.#claimed(told, step);
    else if (step.kind === "guessed") this.#watcher?.onGuessed(id);
    else if (step.kind === "reported") this.#reported(id, step);
    else this.#refused(id, step);
  }

  #refused(id: PairingId, { address, hostname }: Extract<ServiceStep, { kind: "refused" }>): void {
    this.#watcher?.onRefused(id, address, hostname === null ? undefined : { hostname });
  }

  #reported(id: PairingId, told: Extract<ServiceStep, { kind: "reported" }>): void {
    const { report: kind, client_id, hostname, step, text, address } = told;
    this.#watcher?.onReported(id, { kind, client_id, hostname, step, text }, address);
  }

  #claimed({ id, unclaimed }: ToldOf, step: Extract<ServiceStep, { kind: "claimed" }>): void {
    const { use, client_id: clientId, hostname, address } = step;
    const secretId = [...unclaimed].find((one) => one === use);
    if (secretId === undefined) return;
    unclaimed.delete(secretId);
    this.#watcher?.onClaimed(id, { secretId, clientId, hostname, address });
  }
}

/** The deposit that something is told of. */
interface ToldOf {
  readonly id: PairingId;
  /** The uses that nobody has claimed as far as is known. */
  readonly unclaimed: Set<SecretId>;
}

interface Given {
  readonly draft: PairingDraft;
  readonly watchKey: string;
  readonly leftMs: number;
  readonly scripts: InstallerScripts;
}

function requestOf(
  { parts, uses }: SealedUses,
  { draft, watchKey, leftMs, scripts: { sh, ps1 } }: Given,
): DepositRequest {
  return {
    claim_key: parts.claimKey.toString("base64url"),
    watch_key: watchKey,
    expires_in: Math.max(1, Math.floor(leftMs / 1_000)),
    hostname: draft.hostname,
    uses: uses.map(({ secretId, envelope }) => ({ use: secretId, envelope })),
    scripts: ps1 === undefined ? { sh: sh.sha256 } : { sh: sh.sha256, ps1: ps1.sha256 },
  };
}
