import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** A port of 127.0.0.1 that refuses connections until the end of its scope. */
export interface RefusingPort extends AsyncDisposable {
  readonly port: number;
}

/**
 * A port that refuses for certain. A port whose server was closed would be free: the system soon
 * gives it to the next program that asks for any. So a connection through it is kept open when the
 * server goes; as long as one of its ends is bound to the port, the system gives it to nobody.
 */
export async function refusingPort(): Promise<RefusingPort> {
  await using opened = new AsyncDisposableStack();
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const caller = opened.adopt(connect(port, "127.0.0.1"), (socket) => void socket.destroy());
  const [[accepted]] = await Promise.all([once(server, "connection"), once(caller, "connect")]);
  opened.adopt(accepted, (socket) => void socket.destroy());
  server.close();
  const closing = opened.move();
  return { port, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}
