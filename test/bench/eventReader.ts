import { EVENTS_PATH } from "@rport/protocol/http";
import WebSocket from "ws";
import type { BenchBackend } from "./backend.ts";

/** One editor that looks on: it reads every event and keeps nothing. */
export async function readEvents(backend: BenchBackend): Promise<Disposable> {
  const socket = new WebSocket(`${backend.url.replace(/^http/, "ws")}${EVENTS_PATH}`, {
    headers: { Authorization: `Bearer ${backend.token}` },
  });
  socket.on("error", () => {});
  await new Promise((resolve, reject) => {
    socket.once("message", resolve);
    socket.once("close", () => reject(new Error("the event socket was closed")));
  });
  return { [Symbol.dispose]: () => socket.terminate() };
}
