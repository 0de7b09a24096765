import { pack } from "../packet.ts";
import type { Ssh2Engine } from "../ssh2/ssh2Engine.ts";
import { type CloseReason, WireError } from "../wireError.ts";

/** SSH_DISCONNECT codes (RFC 4253 11.1). */
export const DISCONNECT = {
  protocolError: 2,
  keyExchangeFailed: 3,
  serviceNotAvailable: 7,
  byApplication: 11,
} as const;

/** SSH_MSG_DISCONNECT with its empty language tag, without which Go shows a parse error instead. */
export function encodeDisconnect(code: number, text: string): Buffer {
  return pack(1, code, text, "");
}

/** Tells the peer why the connection ends, unless the library has ended itself, and said goodbye, already. */
export function sayGoodbye(engine: Ssh2Engine, code: number, text: string): void {
  try {
    engine.sendNow(encodeDisconnect(code, text));
  } catch {
    // it has
  }
}

/**
 * Why a connection ends that something was thrown in while it dealt with the peer's bytes, and what the peer is
 * told of it: texts of our own only, for those of a library may come from anywhere.
 */
export function faultOf(error: unknown): { readonly reason: CloseReason; readonly told: string } {
  if (error instanceof WireError) {
    return { reason: { kind: error.kind, text: error.message }, told: error.message };
  }
  const text = error instanceof Error ? error.message : "unreadable input";
  return { reason: { kind: "protocol", text }, told: "protocol error" };
}
