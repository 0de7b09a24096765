import { once } from "node:events";
import { EVENTS_PATH } from "@rport/protocol/http";
import WebSocket from "ws";
import { serve, sharedNowMs } from "./childPort.ts";

/** Editors that come at once. */
export interface CrowdOrder {
  readonly url: string;
  readonly token: string;
  readonly count: number;
}

/** What came of them. */
export interface CrowdEnd {
  /** Until the last one had all that there is. */
  readonly lastMs: number;
  /** Of one of them. */
  readonly bytes: number;
  readonly largestBytes: number;
}

/** The end of a message that says whether more of the snapshot follows. */
const LAST = '"more":false}';

async function arrive({ url, token, count }: CrowdOrder): Promise<CrowdEnd> {
  const startMs = sharedNowMs();
  const ends = await Promise.all(Array.from({ length: count }, () => readSnapshot(url, token)));
  const [one] = ends;
  return {
    lastMs: sharedNowMs() - startMs,
    bytes: one?.bytes ?? 0,
    largestBytes: one?.largest ?? 0,
  };
}

/** One editor: reads until it has everything, and goes. */
async function readSnapshot(url: string, token: string) {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}${EVENTS_PATH}`, {
    headers: { Authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  let bytes = 0;
  let largest = 0;
  socket.on("message", (data: Buffer) => {
    bytes += data.length;
    largest = Math.max(largest, data.length);
    if (data.subarray(-LAST.length).toString() === LAST) socket.close();
  });
  await once(socket, "close");
  return { bytes, largest };
}

const handlers = { arrive };

/** What a crowd can be asked. */
export type CrowdHandlers = typeof handlers;

serve(handlers);
