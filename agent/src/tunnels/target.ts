import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import type { HostPort } from "@rport/protocol/remote";
import { SYSTEM_CLOCK } from "../platform/clock.ts";
import { troubleOf } from "../platform/descriptors.ts";
import { type TunnelRule, whyForbidden } from "./allow.ts";

/** Time the addresses of a target get together to accept a connection. */
const CONNECT_MS = 20_000;
/** Addresses that are tried of one name, whose DNS may have any number. */
const TRIED = 8;
/** An address gets this long while others are behind it, if there is as much. */
const LEAST_MS = 2_000;

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
  /** For all addresses together, in milliseconds. */
  readonly timeoutMs?: number;
  readonly allowHalfOpen?: boolean;
  /** Ends the attempt when it fires, with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to the first address that accepts, of the first eight. Each gets its part of what is left of
 * the time. Rejects with the last one's error, or, at once, with the signal's reason.
 */
export async function connectTo(
  { addresses, port }: CheckedTarget,
  options: ConnectOptions = {},
): Promise<Socket> {
  const endMs = SYSTEM_CLOCK.monotonic() + (options.timeoutMs ?? CONNECT_MS);
  const tried = addresses.slice(0, TRIED);
  let failure: unknown;
  for (const [index, host] of tried.entries()) {
    const leftMs = endMs - SYSTEM_CLOCK.monotonic();
    if (failure !== undefined && (leftMs <= 0 || options.signal?.aborted)) break;
    const timeoutMs = partOf(leftMs, tried.length - index);
    try {
      return await connectOne(host, port, { ...options, timeoutMs });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** The time of the next of so many addresses. */
function partOf(leftMs: number, addresses: number): number {
  return Math.max(leftMs / addresses, Math.min(LEAST_MS, leftMs));
}

function connectOne(host: string, port: number, options: ConnectOptions): Promise<Socket> {
  const { timeoutMs = CONNECT_MS, allowHalfOpen = false, signal } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen, noDelay: true });
    const stop = () => socket.destroy(signal?.reason);
    const tooLate = () => socket.destroy(new Error(`connect ${host}:${port}: i/o timeout`));
    const late = SYSTEM_CLOCK.after(timeoutMs, tooLate);
    const settle = () => {
      late.cancel();
      signal?.removeEventListener("abort", stop);
    };
    signal?.addEventListener("abort", stop, { once: true });
    socket.on("error", reject).once("close", settle).once("connect", settle);
    socket.once("connect", () => resolve(socket));
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
