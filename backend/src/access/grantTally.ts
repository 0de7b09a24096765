/** Who may see a client, and whether it is connected. */
export interface Granted {
  /** Groups of users, sorted, each once. */
  readonly grants: readonly string[];
  readonly isConnected: boolean;
}

/** How many clients somebody may see. */
export interface Counts {
  readonly connected: number;
  readonly disconnected: number;
}

interface Share {
  readonly grants: readonly string[];
  total: number;
  connected: number;
}

/**
 * How many clients there are for each set of groups that may see them: whoever wants to know how
 * many some groups see adds up few sets instead of looking at all clients.
 */
export class GrantTally {
  readonly #shares = new Map<string, Share>();

  /** One more client. */
  add(granted: Granted): void {
    this.#count(granted, 1);
  }

  /** One less. */
  remove(granted: Granted): void {
    this.#count(granted, -1);
  }

  /** How many clients at least one of these groups may see. */
  seenBy(groups: ReadonlySet<string>): Counts {
    let [total, connected] = [0, 0];
    for (const share of this.#shares.values()) {
      if (!share.grants.some((group) => groups.has(group))) continue;
      total += share.total;
      connected += share.connected;
    }
    return { connected, disconnected: total - connected };
  }

  #count({ grants, isConnected }: Granted, by: 1 | -1): void {
    const key = JSON.stringify(grants);
    const share = this.#shares.get(key) ?? { grants, total: 0, connected: 0 };
    share.total += by;
    if (isConnected) share.connected += by;
    if (share.total > 0) this.#shares.set(key, share);
    else this.#shares.delete(key);
  }
}
