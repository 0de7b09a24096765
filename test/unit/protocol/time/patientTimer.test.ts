import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { patientTimer } from "@rport/protocol/time/patientTimer";
import { expect, it } from "vitest";

const DELAY_MS = 20;
const STANDSTILL_MS = 800;

/** This process does nothing for so long, as when its machine was suspended. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The two ends of a connection. */
async function pair(scope: AsyncDisposableStack): Promise<{ near: Socket; far: Socket }> {
  const server = createServer();
  scope.defer(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const accepted = once(server, "connection");
  const near = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [far] = (await accepted) as [Socket];
  for (const socket of [near, far]) scope.defer(() => void socket.destroy());
  return { near, far };
}

it("F-24: a timer that is late because the process stood still lets what has arrived be read first", async () => {
  await using scope = new AsyncDisposableStack();
  const { near, far } = await pair(scope);
  const happened: string[] = [];
  near.on("data", () => happened.push("an answer"));
  const due = Promise.withResolvers<void>();
  patientTimer(DELAY_MS, true, () => {
    happened.push("its deadline");
    due.resolve();
  });
  far.on("data", () => {
    far.write("answer");
    standStill(STANDSTILL_MS);
  });
  near.write("question");
  await due.promise;
  expect(happened).toEqual(["an answer", "its deadline"]);
});

it("does not run when it was cancelled, also while it waits once more", async () => {
  const ran: string[] = [];
  const plain = patientTimer(DELAY_MS, true, () => ran.push("plain"));
  plain.cancel();
  const late = patientTimer(DELAY_MS, true, () => ran.push("late"));
  standStill(STANDSTILL_MS);
  const last = Promise.withResolvers<void>();
  setTimeout(() => late.cancel(), DELAY_MS);
  patientTimer(2 * STANDSTILL_MS, true, () => last.resolve());
  await last.promise;
  expect(ran).toEqual([]);
});
