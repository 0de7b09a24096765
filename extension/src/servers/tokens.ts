import { z } from "zod";
import type { Redactor } from "../support/redact.ts";

const KEY_PREFIX = "rport.token:";

const storedSchema = z.object({
  token: z.string().min(1).max(4_096),
  /** Made for this editor alone, so that signing out ends it. */
  made: z.boolean().default(false),
});

/** What is kept of a sign-in. */
export type KeptToken = z.output<typeof storedSchema>;

/** The editor's store of secrets. */
export interface SecretStore {
  get(key: string): PromiseLike<string | undefined>;
  store(key: string, value: string): PromiseLike<void>;
  delete(key: string): PromiseLike<void>;
}

/** What keeping tokens needs. */
export interface TokensDeps {
  readonly store: SecretStore;
  readonly redactor: Redactor;
}

/**
 * One API token per server, kept under the server's base URL: a setting that names another address
 * finds no token, so none can be lured to a foreign server.
 */
export class Tokens {
  readonly #store: SecretStore;
  readonly #redactor: Redactor;
  /** For machines without a secret store: until the window closes. */
  readonly #session = new Map<string, KeptToken>();

  constructor({ store, redactor }: TokensDeps) {
    this.#store = store;
    this.#redactor = redactor;
  }

  /** The token of a server; undefined when nobody has signed in. */
  async get(url: string): Promise<string | undefined> {
    return (await this.kept(url))?.token;
  }

  /** The same, with where it came from. */
  async kept(url: string): Promise<KeptToken | undefined> {
    const kept = this.#session.get(url) ?? (await this.#read(url));
    if (kept !== undefined) this.#redactor.add(kept.token);
    return kept;
  }

  /** The server whose token is kept under a key of the store; undefined for other keys. */
  urlOf(key: string): string | undefined {
    return key.startsWith(KEY_PREFIX) ? key.slice(KEY_PREFIX.length) : undefined;
  }

  /** Keeps a token. `session`: there is no secret store, so it lasts until the window closes. */
  async set(url: string, kept: KeptToken): Promise<"kept" | "session"> {
    this.#redactor.add(kept.token);
    try {
      await this.#store.store(KEY_PREFIX + url, JSON.stringify(kept));
      this.#session.delete(url);
      return "kept";
    } catch {
      this.#session.set(url, kept);
      return "session";
    }
  }

  /** Forgets the token of a server. */
  async delete(url: string): Promise<void> {
    this.#session.delete(url);
    await this.#store.delete(KEY_PREFIX + url);
  }

  async #read(url: string): Promise<KeptToken | undefined> {
    try {
      const text = await this.#store.get(KEY_PREFIX + url);
      return text === undefined ? undefined : storedSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }
}
