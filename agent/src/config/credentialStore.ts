import { RportError } from "@rport/protocol/errors";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import type { Clock } from "../platform/clock.ts";
import { writeDurably } from "../platform/durableFile.ts";
import { Pace } from "../platform/pace.ts";
import { replaceAuth } from "./authLine.ts";
import {
  type AgentConfig,
  type AgentCredential,
  CONFIG_MAX_BYTES,
  type ConfigEnvironment,
  parseConfig,
} from "./config.ts";

/**
 * New secrets that are taken: each is a durable write. A rotation needs one, and a server that got no answer
 * asks again after a minute.
 */
const NEW_SECRETS = { atOnce: 10, everyMs: 10_000 };

/** What the agent logs in with: read at start, replaced when the server hands out a new secret. */
export class CredentialStore {
  readonly #file: string;
  readonly #fingerprint: string;
  #current: AgentCredential;
  readonly #pace: Pace;
  /** Replacements run one after the other. */
  #queue: Promise<void> = Promise.resolve();

  constructor(
    config: Pick<AgentConfig, "file" | "fingerprint" | "credential">,
    clock: Pick<Clock, "monotonic">,
  ) {
    this.#pace = new Pace(NEW_SECRETS, () => clock.monotonic());
    this.#file = config.file;
    this.#fingerprint = config.fingerprint;
    this.#current = config.credential;
  }

  get current(): AgentCredential {
    return this.#current;
  }

  /** How many new secrets were not taken since the start, because they came too soon. */
  get refused(): number {
    return this.#pace.refused;
  }

  /** Whether the secret may be stored now, on whatever connection it came: the present one always. */
  admits(secret: string): boolean {
    return secret === this.#current.secret || this.#pace.take();
  }

  /**
   * Writes the secret to the configuration; `current` is the new one only once that is durable.
   * Rejects, and keeps the old one, when the file cannot be read or written, or names another auth id.
   */
  replaceSecret(secret: string): Promise<void> {
    const replaced = this.#queue.then(() => this.#replace(secret));
    this.#queue = replaced.catch(() => {});
    return replaced;
  }

  async #replace(secret: string): Promise<void> {
    const next = { authId: this.#current.authId, secret };
    const text = await readSmallFile(this.#file, CONFIG_MAX_BYTES);
    const { credential } = parseConfig(text, this.#file, this.#environment());
    if (credential.authId !== next.authId) {
      throw new RportError("CONFLICT", `${this.#file} names another auth id now.`);
    }
    if (credential.secret !== secret) {
      await writeDurably(this.#file, replaceAuth(text, next), { mode: 0o600 });
    }
    this.#current = next;
  }

  /** What the file has not got came from the environment, and goes on standing for it. */
  #environment(): ConfigEnvironment {
    const { authId, secret } = this.#current;
    return { RPORT_AUTH: `${authId}:${secret}`, RPORT_FINGERPRINT: this.#fingerprint };
  }
}
