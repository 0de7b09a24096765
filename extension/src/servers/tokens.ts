import { z } from "zod";
import type { Redactor } from "../support/redact.ts";

const KEY_PREFIX = "rport.token:";

const storedSchema = z.object({ token: z.string().min(1).max(4_096) });

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
 * One API token per server, kept under the server's origin: a setting that names another address
 * finds no token, so none can be lured to a foreign server.
 */
export class Tokens {
  readonly #store: SecretStore;
  readonly #redactor: Redactor;
  /** For machines without a secret store: until the window closes. */
  readonly #session = new Map<string, string>();

  constructor({ store, redactor }: TokensDeps) {
    this.#store = store;
    this.#redactor = redactor;
  }

  /** The token of a server; undefined when nobody has signed in. */
  async get(origin: string): Promise<string | undefined> {
    const token = this.#session.get(origin) ?? (await this.#read(origin));
    if (token !== undefined) this.#redactor.add(token);
    return token;
  }

  /** Keeps a token. `session`: there is no secret store, so it lasts until the window closes. */
  async set(origin: string, token: string): Promise<"kept" | "session"> {
    this.#redactor.add(token);
    try {
      await this.#store.store(KEY_PREFIX + origin, JSON.stringify({ token }));
      this.#session.delete(origin);
      return "kept";
    } catch {
      this.#session.set(origin, token);
      return "session";
    }
  }

  /** Forgets the token of a server. */
  async delete(origin: string): Promise<void> {
    this.#session.delete(origin);
    await this.#store.delete(KEY_PREFIX + origin);
  }

  async #read(origin: string): Promise<string | undefined> {
    try {
      const text = await this.#store.get(KEY_PREFIX + origin);
      return text === undefined ? undefined : storedSchema.parse(JSON.parse(text)).token;
    } catch {
      return undefined;
    }
  }
}
