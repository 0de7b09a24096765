/** A secret, as a simple model has it. */
export interface ModelSecret {
  readonly id: string;
  readonly value: string;
  /** The only host that may use it; undefined: any. */
  readonly host: string | undefined;
  opens: boolean;
}

/** A host, as a simple model has it. */
export interface ModelHost {
  readonly id: string;
  /** The credential it came in with last; undefined: it was never in. */
  credential: string | undefined;
  secret: ModelSecret | undefined;
  isOnline: boolean;
  isRevoked: boolean;
  /** The ports of its remembered tunnels' targets, by tunnel id. */
  readonly tunnels: Map<string, string>;
}

/** What a server of this product has to remember, in a few maps, without any of its reasons. */
export class FleetModel {
  readonly hosts: ReadonlyMap<string, ModelHost>;
  /** Those that are there. */
  readonly credentials = new Set<string>();
  /** All that there ever were, of each credential, the oldest first. */
  readonly #secrets = new Map<string, ModelSecret[]>();

  constructor(hosts: readonly string[]) {
    const blank = (id: string): ModelHost => ({
      id,
      credential: undefined,
      secret: undefined,
      isOnline: false,
      isRevoked: false,
      tunnels: new Map(),
    });
    this.hosts = new Map(hosts.map((id) => [id, blank(id)]));
  }

  host(id: string): ModelHost {
    const host = this.hosts.get(id);
    if (host === undefined) throw new Error(`no host ${id}`);
    return host;
  }

  secretsOf(credential: string): readonly ModelSecret[] {
    return this.#secrets.get(credential) ?? [];
  }

  add(credential: string, secret: Omit<ModelSecret, "opens">): ModelSecret {
    const { id, value, host } = secret;
    const added = { id, value, host, opens: true };
    this.#secrets.set(credential, [...this.secretsOf(credential), added]);
    return added;
  }

  /** Whether a host gets in with a secret; only the hosts themselves have their keys. */
  letsIn(host: ModelHost, secret: ModelSecret): boolean {
    return secret.opens && !host.isRevoked && (secret.host ?? host.id) === host.id;
  }

  /** The host is in; whatever of its own is older than what it showed is over. */
  enter(host: ModelHost, credential: string, secret: ModelSecret): void {
    Object.assign(host, { credential, secret, isOnline: true });
    if (secret.host === undefined) return;
    const secrets = this.secretsOf(credential);
    for (const older of secrets.slice(0, secrets.indexOf(secret))) {
      if (older.host === host.id) older.opens = false;
    }
  }

  /** These open nothing any more; who stands on one of them is out. */
  end(secrets: readonly ModelSecret[]): void {
    for (const secret of secrets) secret.opens = false;
    for (const host of this.hosts.values()) {
      if (host.secret !== undefined && secrets.includes(host.secret)) host.isOnline = false;
    }
  }

  /** The host is out until it is allowed again, and what was its own is over. */
  revoke(host: ModelHost): void {
    for (const secrets of this.#secrets.values()) {
      this.end(secrets.filter((secret) => secret.host === host.id));
    }
    Object.assign(host, { isRevoked: true, isOnline: false });
  }

  /** Nobody is connected. */
  restart(): void {
    for (const host of this.hosts.values()) host.isOnline = false;
  }
}
