import { timingSafeEqual } from "node:crypto";
import { generatedSecret, secretId } from "../platform/random.ts";
import { type Actor, localActor } from "./actor.ts";
import { digestOf } from "./signIn/newToken.ts";

interface Entry {
  readonly actor: Actor;
  readonly digest: Buffer;
  readonly revoke: AbortController;
}

/** The tokens that open the users' face. Kept in memory, as digests. */
export class UserTokens {
  readonly #entries = new Map<string, Entry>();

  /** Makes a token of 32 random bytes (base64url) for `name`; this is the only time it is seen. */
  issue(name: string): { readonly tokenId: string; readonly token: string } {
    const token = generatedSecret();
    const tokenId = secretId();
    const revoke = new AbortController();
    const actor = localActor({ tokenId, name, ended: revoke.signal });
    this.#entries.set(tokenId, { actor, digest: digestOf(token), revoke });
    return { tokenId, token };
  }

  /**
   * Whose token this is; undefined when it is nobody's. Takes the same time for every wrong one.
   */
  check(token: string): Actor | undefined {
    const digest = digestOf(token);
    let found: Actor | undefined;
    for (const entry of this.#entries.values()) {
      if (timingSafeEqual(entry.digest, digest)) found = entry.actor;
    }
    return found;
  }

  /** The token stops working, and what was opened with it ends. */
  revoke(tokenId: string): void {
    const entry = this.#entries.get(tokenId);
    this.#entries.delete(tokenId);
    entry?.revoke.abort();
  }
}
