import type { Socket } from "node:net";
import {
  editorProof,
  isProof,
  newNonce,
  PROOF_SCHEME,
  type ProofFacts,
  serverProof,
} from "@rport/protocol/localProof";
import { formatHostPort } from "@rport/protocol/remote";
import type { Limits } from "../limits/limits.ts";
import { Budget } from "../platform/budget.ts";
import type { Clock } from "../platform/clock.ts";
import { unmapped } from "../platform/network.ts";

/** What proofs are made from. */
export interface ProofsDeps {
  /** The token of the endpoint file, which both sides know. */
  readonly token: string;
  /** The server's key, `SHA256:` form. */
  readonly fingerprint: string;
  readonly clock: Pick<Clock, "monotonic">;
  readonly limits: Limits;
}

/** What an editor is answered that asks for a proof. */
export interface ProofAnswer {
  readonly nonce: string;
  readonly proof: string;
}

/**
 * Proves to programs of this machine that this server is the one of their endpoint file, and lets
 * them prove that they have read it, without the token on the way. Each proof belongs to one
 * connection, and is worth nothing on another.
 */
export class Proofs {
  readonly #deps: ProofsDeps;
  readonly #asked = new WeakMap<Socket, ProofFacts>();
  readonly #budget: Budget<"all">;

  constructor(deps: ProofsDeps) {
    this.#deps = deps;
    this.#budget = new Budget({ clock: deps.clock, keysMax: 1 });
  }

  /** This server's proof for the connection; undefined when too many ask. */
  answer(socket: Socket, editorNonce: string): ProofAnswer | undefined {
    if (!this.#hasRoom(socket)) return undefined;
    const { token, fingerprint } = this.#deps;
    const serverNonce = newNonce();
    const facts = { place: placeOf(socket), fingerprint, editorNonce, serverNonce };
    this.#asked.set(socket, facts);
    return { nonce: serverNonce, proof: serverProof(token, facts) };
  }

  /**
   * The token that the other end has shown to know; undefined unless its `Authorization` header is
   * the proof that belongs to this connection.
   */
  provenToken(socket: Socket, authorization: string | undefined): string | undefined {
    const facts = this.#asked.get(socket);
    const [scheme, given = ""] = (authorization ?? "").split(" ");
    if (facts === undefined || scheme !== PROOF_SCHEME) return undefined;
    const { token } = this.#deps;
    return isProof(given, editorProof(token, facts)) ? token : undefined;
  }

  /**
   * An editor asks once on a connection, which costs no more than being refused: if these were
   * counted, too, another user of the machine could use them up and keep every editor out.
   */
  #hasRoom(socket: Socket): boolean {
    if (!this.#asked.has(socket)) return true;
    const { limits } = this.#deps;
    const perSecond = limits.max("proofs_per_second");
    if (this.#budget.spend("all", 1, { burst: perSecond, perSecond }) === 0) return true;
    limits.bite("proofs_per_second", { address: unmapped(socket.remoteAddress ?? "") });
    return false;
  }
}

function placeOf({ localAddress = "", localPort = 0 }: Socket): string {
  return formatHostPort({ host: unmapped(localAddress), port: localPort });
}
