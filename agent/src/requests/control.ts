import {
  type Capabilities,
  capabilitiesSchema,
  checkPortSchema,
  checkTunnelAllowedSchema,
  FEATURES,
  proveHostKeySchema,
  REQUESTS,
  rotateSecretSchema,
  UNKNOWN_REQUEST,
} from "@rport/protocol/agent";
import { parseHostPort } from "@rport/protocol/remote";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import type { z } from "zod";
import type { CredentialStore } from "../config/credentialStore.ts";
import { textOf } from "../platform/errorText.ts";
import type { Log } from "../platform/log.ts";
import { NOT_ALLOWED, type TunnelRule } from "../tunnels/allow.ts";
import { checkTarget, connectTo, type Lookup } from "../tunnels/target.ts";

/** The extensions this agent can speak. */
export const OUR_FEATURES: readonly string[] = Object.values(FEATURES);

/** Nanoseconds per millisecond. */
const NS_PER_MS = 1_000_000;
/**
 * Longest check of a port. Requests are answered one after the other, so a longer one would keep
 * a ping waiting for as long as servers wait for its answer.
 */
const CHECK_PORT_MAX_MS = 10_000;

/** What the answers need. */
export interface ControlDeps {
  readonly rules: readonly TunnelRule[];
  readonly resolve: Lookup;
  readonly credentials: CredentialStore;
  readonly log: Log;
  /** Signs the server's challenge; undefined: this host has no key. */
  readonly proveHostKey?: ((nonce: string) => string) | undefined;
  /** Told whenever the server says that a person is being asked about this host. */
  onHeld(): undefined;
  /** Told once the server has said which extensions it speaks, too. */
  onFeatures(features: ReadonlySet<string>): void;
}

type Handler = (payload: Buffer) => Promise<Buffer | undefined> | Buffer | undefined;

/** Answers the server's requests on one connection. */
export class Control {
  readonly #deps: ControlDeps;
  #features: ReadonlySet<string> = new Set();

  constructor(deps: ControlDeps) {
    this.#deps = deps;
  }

  /** The success payload; throws `RequestRefused` with the text for the server. */
  answer(name: string, payload: Buffer): ReturnType<Handler> {
    const handler = this.#handlers.get(name);
    if (handler === undefined) throw new RequestRefused(UNKNOWN_REQUEST);
    return handler(payload);
  }

  readonly #handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    [REQUESTS.ping, () => undefined],
    [REQUESTS.putCapabilities, (payload) => this.#agree(read(capabilitiesSchema, payload))],
    [REQUESTS.checkTunnelAllowed, (payload) => this.#checkTunnelAllowed(payload)],
    [REQUESTS.checkPort, (payload) => this.#checkPort(payload)],
    [REQUESTS.rotateSecret, (payload) => this.#rotateSecret(payload)],
    [REQUESTS.proveHostKey, (payload) => this.#proveHostKey(payload)],
    // Asked before the server has named its features, too.
    [REQUESTS.holdJoin, () => this.#deps.onHeld()],
  ]);

  #agree({ Features }: Capabilities): undefined {
    this.#features = new Set(Features.filter((feature) => OUR_FEATURES.includes(feature)));
    this.#deps.onFeatures(this.#features);
  }

  async #checkTunnelAllowed(payload: Buffer): Promise<Buffer> {
    const { Remote } = read(checkTunnelAllowedSchema, payload);
    if (this.#deps.rules.length === 0) return json({ IsAllowed: true });
    const check = await this.#check(Remote);
    if (check.kind === "unknown") throw new RequestRefused(check.reason);
    return json({ IsAllowed: check.kind === "allowed" });
  }

  async #checkPort(payload: Buffer): Promise<Buffer> {
    const { HostPort, Timeout } = read(checkPortSchema, payload);
    const check = await this.#check(HostPort);
    if (check.kind === "forbidden") return json({ Open: false, ErrMsg: NOT_ALLOWED });
    if (check.kind === "unknown") return json({ Open: false, ErrMsg: check.reason });
    const asked = Timeout === 0 ? CHECK_PORT_MAX_MS : Math.ceil(Timeout / NS_PER_MS);
    try {
      const timeoutMs = Math.min(asked, CHECK_PORT_MAX_MS);
      (await connectTo(check.target, { timeoutMs })).destroy();
      return json({ Open: true, ErrMsg: "" });
    } catch (error) {
      return json({ Open: false, ErrMsg: textOf(error) });
    }
  }

  #check(text: string) {
    const target = parseHostPort(text);
    if (target === undefined) throw new RequestRefused("the target is not host:port");
    return checkTarget(target, this.#deps.rules, this.#deps.resolve);
  }

  /** Asked while the server registers us, hence before it has named its features. */
  #proveHostKey(payload: Buffer): Buffer {
    const { proveHostKey } = this.#deps;
    if (proveHostKey === undefined) throw new RequestRefused(UNKNOWN_REQUEST);
    const { nonce } = read(proveHostKeySchema, payload);
    return json({ signature: proveHostKey(nonce) });
  }

  /** The answer leaves only after the secret is durable: the server may then drop the old one. */
  async #rotateSecret(payload: Buffer): Promise<Buffer> {
    if (!this.#features.has(FEATURES.rotateSecret)) throw new RequestRefused(UNKNOWN_REQUEST);
    const { credentials, log } = this.#deps;
    const { auth_id, secret_id, secret } = read(rotateSecretSchema, payload);
    log.hide(secret);
    if (auth_id !== credentials.current.authId) {
      throw new RequestRefused("this agent uses another auth id");
    }
    try {
      await credentials.replaceSecret(secret);
    } catch (error) {
      log.error("the new secret could not be stored", { secret_id, error: textOf(error) });
      throw new RequestRefused(`the new secret could not be stored: ${textOf(error)}`);
    }
    log.info("stored a new secret", { secret_id });
    return json({ secret_id });
  }
}

function read<S extends z.ZodType>(schema: S, payload: Buffer): z.infer<S> {
  const result = schema.safeParse(parseJson(payload));
  if (result.success) return result.data;
  throw new RequestRefused("the request cannot be read");
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    return undefined;
  }
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
