import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { HostKeyChange } from "@rport/protocol/model";
import type { Limits } from "../limits/limits.ts";
import type { Clock } from "../platform/clock.ts";
import { networkOf } from "../platform/network.ts";
import { Bursts } from "./bursts.ts";
import type { CredentialShares } from "./credentialShares.ts";
import type { Audit, AuditEntry } from "./entry.ts";
import { cut } from "./facts.ts";

/** A connection of an agent that signed in. */
export interface AgentFacts {
  readonly address: string;
  readonly credentialId: AuthId;
  readonly secretId: SecretId;
  /** Undefined until it said who it is. */
  readonly clientId: ClientId | undefined;
  /** What it says about itself; undefined until it registered. */
  readonly hostname: string | undefined;
  readonly version: string | undefined;
  /** The key it has proven to have; undefined: none. */
  readonly hostKey: string | undefined;
}

/** The first client that was more than a credential lets in. */
export interface FloodFacts {
  readonly credentialId: AuthId;
  /** Which of the credential's limits it met. */
  readonly why: string;
  readonly clientId: ClientId;
  readonly address: string;
}

const HOUR_MS = 3_600_000;
/** All hosts of a large server may come back in the same hour. */
const HOSTS_MAX = 100_000;
/** Of tunnels that were left out, an entry tells of so many; the record of the host has all of them. */
const LEFT_OUT_MAX = 8;
/** Bytes of one of them, with why. */
const LEFT_OUT_BYTES = 200;

/** What these events are written with. */
export interface AgentEventsDeps {
  readonly audit: Audit;
  readonly bursts: Bursts;
  readonly shares: Pick<CredentialShares, "of">;
  readonly limits: Pick<Limits, "max">;
  readonly clock: Clock;
}

/** A limit of the server that kept a connection out. */
export interface MetLimit {
  readonly limit: string;
  readonly max: number;
  /** Whose share of it is used up; undefined: all of it is. */
  readonly user?: string | undefined;
}

/** Writes down which agents come in, and which are turned away. Nobody waits for most of these entries. */
export class AgentEvents {
  readonly #audit: Audit;
  readonly #refusals: Bursts;
  readonly #connections: Bursts;
  readonly #shares: Pick<CredentialShares, "of">;

  constructor({ audit, bursts, shares, limits, clock }: AgentEventsDeps) {
    this.#audit = audit;
    this.#refusals = bursts;
    this.#shares = shares;
    const max = limits.max("connection_entries_per_client");
    this.#connections = new Bursts({ audit, clock, max, windowMs: HOUR_MS, keysMax: HOSTS_MAX });
  }

  /** A client is connected. */
  connected(agent: AgentFacts): void {
    const what = { application: "client", action: "connect" } as const;
    const request = { secret_id: agent.secretId, version: agent.version };
    this.#note("connect", agent, { ...what, request });
  }

  /**
   * A client came in with another host key than the one it is known by, or without it. Resolves when
   * that is on disk, or known to be lost.
   */
  async hostKeyChanged(agent: AgentFacts, { kind, before }: HostKeyChange): Promise<void> {
    const what = { application: "client.key", action: "update" } as const;
    const request = { kind, before, secret_id: agent.secretId };
    const response = { host_key: agent.hostKey ?? null };
    this.#note("key", agent, { ...what, request, response });
    await this.#audit.settled();
  }

  /**
   * A client came in with another credential than the last time. Resolves when that is on disk, or
   * known to be lost.
   */
  async credentialChanged(agent: AgentFacts, before: AuthId): Promise<void> {
    const what = { application: "client", action: "update" } as const;
    const request = { client_auth_id: agent.credentialId, before, secret_id: agent.secretId };
    this.#note("credential", agent, { ...what, request });
    await this.#audit.settled();
  }

  /**
   * A sign-in was refused, or not even looked at (`penalty`). An auth id that does not exist
   * (`unknown`) is not repeated: it may be anything.
   */
  loginRefused(authId: string | undefined, why: string, address: string): void {
    this.#refusals.note(`agent ${networkOf(address)}`, {
      application: "client.auth",
      action: "failed",
      remoteIp: address,
      affectedId: why === "unknown" ? undefined : authId,
      request: { reason: why },
    });
  }

  /** An agent that signed in was not taken, or did what agents may not. */
  refused(agent: AgentFacts, text: string): void {
    const what = { application: "client", action: "failed" } as const;
    const request = { secret_id: agent.secretId, reason: text };
    const entry = { ...what, ...about(agent), request };
    const share = this.#shares.of(agent.credentialId);
    this.#refusals.note(`agent ${networkOf(agent.address)}`, entry, share);
  }

  /** A client is in without these tunnels that it asked for; each with why. */
  leftOut(agent: AgentFacts, tunnels: readonly string[]): void {
    const what = { application: "client.tunnel", action: "failed" } as const;
    const request = {
      by: "agent",
      left_out: tunnels.slice(0, LEFT_OUT_MAX).map((tunnel) => cut(tunnel, LEFT_OUT_BYTES)),
      left_out_total: tunnels.length > LEFT_OUT_MAX ? tunnels.length : undefined,
    };
    this.#note("left out", agent, { ...what, request });
  }

  /** A connection through a tunnel of the client was refused, because of a limit of the server. */
  tunnelsFull(agent: AgentFacts, met: MetLimit): void {
    const what = { application: "client.tunnel", action: "failed" } as const;
    const { limit, max, user } = met;
    const request = { by: "server", limit, max, user };
    this.#note("full", agent, { ...what, request });
  }

  /** More new clients came with a credential than it lets in; one entry stands for all of them. */
  flooded({ credentialId, why, clientId, address }: FloodFacts): void {
    this.#audit.note({
      application: "client.join",
      action: "flood",
      remoteIp: address,
      affectedId: credentialId,
      clientId,
      request: { reason: why },
    });
  }

  /** Writes all that was only counted so far. */
  close(): void {
    this.#connections.close();
  }

  /** A few of a kind and a client, as long as its credential has a share. */
  #note(kind: string, agent: AgentFacts, entry: AuditEntry): void {
    const share = this.#shares.of(agent.credentialId);
    this.#connections.note(`${kind} ${agent.clientId}`, { ...about(agent), ...entry }, share);
  }
}

function about({ address, credentialId, clientId, hostname }: AgentFacts) {
  return { remoteIp: address, affectedId: credentialId, clientId, clientHostname: hostname };
}
