import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import type { HostPort } from "@rport/protocol/remote";
import { troubleOf } from "../platform/descriptors.ts";
import { type TunnelRule, whyForbidden } from "./allow.ts";

/** Time one address of a target gets to accept a connection. */
const CONNECT_MS = 20_000;

/** A target whose addresses were looked up and checked; connections go to these and no others. */
export interface CheckedTarget {
  readonly addresses: readonly [string, ...string[]];
  readonly port: number;
}

/** What came of checking a target. */
export type TargetCheck =
  | { readonly kind: "allowed"; readonly target: CheckedTarget }
  | { readonly kind: "forbidden"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** Looks a name up; rejects when the signal fires, if it can. Tests give one that lies. */
export type Lookup = (host: string, signal?: AbortSignal) => Promise<readonly string[]>;

/** The machine's own name resolution, in its own order. */
export const SYSTEM_LOOKUP: Lookup = async (host) => {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
};

/** What targets are checked with. */
export interface TargetDeps {
  readonly rules: readonly TunnelRule[];
  readonly resolve: Lookup;
}

/**
 * Checks a target against the rules: every address that its name has must be allowed. The signal
 * tells that nobody waits for that any more.
 */
export async function checkTarget(
  target: HostPort,
  { rules, resolve }: TargetDeps,
  signal?: AbortSignal,
): Promise<TargetCheck> {
  const addresses = await resolveHost(target.host, resolve, signal);
  if (typeof addresses === "string") return { kind: "unknown", reason: addresses };
  const [first, ...others] = addresses;
  if (first === undefined) return { kind: "unknown", reason: `${target.host} has no address` };
  const reason = whyForbidden(rules, addresses, target.port);
  if (reason !== undefined) return { kind: "forbidden", reason };
  return { kind: "allowed", target: { addresses: [first, ...others], port: target.port } };
}

/** How to connect. */
export interface ConnectOptions {
  /** Per address, in milliseconds. */
  readonly timeoutMs?: number;
  readonly allowHalfOpen?: boolean;
  /** Ends the attempt when it fires, with its reason. */
  readonly signal?: AbortSignal;
}

/** Connects to the first address that accepts. Rejects with the last one's error. */
export async function connectTo(
  { addresses, port }: CheckedTarget,
  options: ConnectOptions = {},
): Promise<Socket> {
  const [first, ...others] = addresses;
  try {
    return await connectOne(first, port, options);
  } catch (error) {
    const [next, ...rest] = others;
    if (next === undefined || options.signal?.aborted) throw error;
    return connectTo({ addresses: [next, ...rest], port }, options);
  }
}

function connectOne(host: string, port: number, options: ConnectOptions): Promise<Socket> {
  const { timeoutMs = CONNECT_MS, allowHalfOpen = false, signal } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen, noDelay: true });
    socket.on("error", reject);
    const stop = () => socket.destroy(signal?.reason);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
    socket.once("close", () => signal?.removeEventListener("abort", stop));
    socket.setTimeout(timeoutMs, () =>
      socket.destroy(new Error(`connect ${host}:${port}: i/o timeout`)),
    );
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      signal?.removeEventListener("abort", stop);
      resolve(socket);
    });
  });
}

async function resolveHost(
  host: string,
  resolve: Lookup,
  signal: AbortSignal | undefined,
): Promise<readonly string[] | string> {
  if (isIP(host) !== 0) return [host];
  try {
    return await resolve(host, signal);
  } catch (error) {
    return troubleOf(error);
  }
}
