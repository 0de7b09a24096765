import { pack } from "../packet.ts";

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
