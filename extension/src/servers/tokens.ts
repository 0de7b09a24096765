import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { z } from "zod";
import { describeError } from "../support/describeError.ts";
import type { Redactor } from "../support/redact.ts";

const KEY_PREFIX = "rport.token:";
/** Characters of what a store says of itself. */
const WHY_MAX = 200;

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
  /** Where the store takes nothing: until the window closes. */
  readonly #session = new Map<string, KeptToken>();

  constructor({ store, redactor }: TokensDeps) {
    this.#store = store;
    this.#redactor = redactor;
  }

  /** The token of a server; undefined when nobody has signed in. Throws as `kept` does. */
  async get(url: string): Promise<string | undefined> {
    return (await this.kept(url))?.token;
  }

  /** The same, with where it came from. Throws `RportError` where the store does not give what it keeps. */
  async kept(url: string): Promise<KeptToken | undefined> {
    const kept = this.#session.get(url) ?? (await this.#read(url));
    if (kept !== undefined) this.#redactor.add(kept.token);
    return kept;
  }

  /** The server whose token is kept under a key of the store; undefined for other keys. */
  urlOf(key: string): string | undefined {
    return key.startsWith(KEY_PREFIX) ? key.slice(KEY_PREFIX.length) : undefined;
  }

  /** Keeps a token. Answers why the store does not take it; undefined: it is kept. */
  async set(url: string, kept: KeptToken): Promise<string | undefined> {
    this.#redactor.add(kept.token);
    try {
      await this.#store.store(KEY_PREFIX + url, JSON.stringify(kept));
    } catch (error) {
      return this.#why(error);
    }
    this.#session.delete(url);
    return undefined;
  }

  /** Has a token that the store does not take last until this window closes, in memory alone. */
  holdForSession(url: string, kept: KeptToken): void {
    this.#redactor.add(kept.token);
    this.#session.set(url, kept);
  }

  /** Forgets the token of a server. Answers why the store may go on keeping it; undefined: it is forgotten. */
  async delete(url: string): Promise<string | undefined> {
    this.#session.delete(url);
    try {
      await this.#store.delete(KEY_PREFIX + url);
      return undefined;
    } catch (error) {
      return this.#why(error);
    }
  }

  async #read(url: string): Promise<KeptToken | undefined> {
    let text: string | undefined;
    try {
      text = await this.#store.get(KEY_PREFIX + url);
    } catch (cause) {
      const why = this.#why(cause);
      throw new RportError(
        "UNAVAILABLE",
        t("The keyring of this computer does not give the sign-in: {0}", why),
        { cause },
      );
    }
    try {
      return text === undefined ? undefined : storedSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  /** What a store says of itself, which may quote what it was given. */
  #why(error: unknown): string {
    return this.#redactor.clean(describeError(error)).slice(0, WHY_MAX);
  }
}
