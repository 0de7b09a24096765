import { algorithmsFor } from "./algorithms.ts";

/** The key exchange that runs or ran last, as ssh2 keeps it. */
export interface KeyExchange {
  /** Ends it; made anew for each, with the shared secret in its scope. */
  finish: unknown;
  /** The pair of Curve25519, which lives for one exchange only. */
  _keys?: unknown;
  /** What was agreed on. */
  readonly negotiated: Negotiated;
  /** The peer's KEXINIT, until the keys are there. */
  _remoteKexinit: Buffer | undefined;
}

interface Negotiated extends Record<"kex" | "serverHostKey", string> {
  readonly cs: NegotiatedDirection;
  readonly sc: NegotiatedDirection;
}

type NegotiatedDirection = Record<"cipher" | "mac" | "compress" | "lang", string>;

/** A packet has so much around its payload, in about. */
const SPARE_BYTES = 512;
const ELSEWHERE = "ssh2 keeps its key exchange elsewhere than 1.17.0";

/** Every name that can be agreed on, as one string for all connections; none: an empty one. */
const OWN_NAMES: ReadonlyMap<string, string> = new Map(
  ["", ...namesOf("server"), ...namesOf("client")].map((name) => [name, name]),
);

/**
 * Has an exchange keep no more of what the peer sent than it needs. The names of the library are cut from
 * the peer's lists, and a short one keeps the whole of a list in memory; its KEXINIT may be a piece of a
 * larger block. Throws when something was agreed on that nobody offers.
 */
export function keepLittle(exchange: KeyExchange): void {
  const { negotiated, _remoteKexinit: kexinit } = exchange;
  if (negotiated?.cs === undefined || negotiated.sc === undefined) throw new Error(ELSEWHERE);
  negotiated.kex = ownName(negotiated.kex);
  negotiated.serverHostKey = ownName(negotiated.serverHostKey);
  for (const direction of [negotiated.cs, negotiated.sc]) {
    direction.cipher = ownName(direction.cipher);
    direction.mac = ownName(direction.mac);
    direction.compress = ownName(direction.compress);
    direction.lang = ownName(direction.lang);
  }
  if (kexinit !== undefined) exchange._remoteKexinit = onItsOwn(kexinit);
}

/** Lets the secrets go of an exchange that is over: the library would keep them until the next one, which may be a gigabyte away. */
export function forgetSecrets(exchange: KeyExchange | undefined): void {
  if (typeof exchange?.finish !== "function") throw new Error(ELSEWHERE);
  exchange.finish = undefined;
  if (exchange._keys !== undefined) exchange._keys = null;
}

/** Bytes of memory that an exchange keeps of what the peer sent; 0 when it is over. */
export function keptBytes(exchange: KeyExchange | undefined): number {
  return exchange?._remoteKexinit?.buffer.byteLength ?? 0;
}

/** The same bytes in memory of their own, unless they nearly fill what they are a piece of. */
function onItsOwn(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength <= bytes.length + SPARE_BYTES) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

function ownName(name: string): string {
  const own = OWN_NAMES.get(name);
  if (own === undefined) throw new Error("ssh2 agreed on an algorithm that we do not offer");
  return own;
}

function namesOf(role: "server" | "client"): string[] {
  const { kex, serverHostKey, cs, sc } = algorithmsFor(role);
  const directions = [cs, sc].flatMap(({ cipher, mac, compress }) => [cipher, mac, compress]);
  return [kex, serverHostKey, ...directions].flat();
}
