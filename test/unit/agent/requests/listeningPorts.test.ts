import { listeningAnswerSchema } from "@rport/protocol/tunnels/listening";
import { expect, it } from "vitest";
import type { ListenerReader } from "../../../../agent/src/machine/listeners.ts";
import { listeningPorts } from "../../../../agent/src/requests/listeningPorts.ts";

const answering = (listeners: ListenerReader) => {
  const request = listeningPorts({ rules: [], listeners, tells: true });
  return async (signal = new AbortController().signal) =>
    listeningAnswerSchema.parse(await request.read({})({ maxMs: 10_000, signal }));
};

it("looks once for all who ask meanwhile, and again for who asks later", async () => {
  let looks = 0;
  const look = Promise.withResolvers<void>();
  const ask = answering(async () => {
    looks += 1;
    await look.promise;
    return [{ port: looks, address: "127.0.0.1", process: "x" }];
  });
  const both = [ask(), ask()];
  look.resolve();
  const told = (port: number) => ({
    told: true,
    ports: [{ port, address: "127.0.0.1", process: "x" }],
    left_out: 0,
  });
  expect(await Promise.all(both)).toEqual([told(1), told(1)]);
  expect(await ask()).toEqual(told(2));
});

it("keeps on looking for the others when the one who asked first is gone", async () => {
  const look = Promise.withResolvers<void>();
  const ask = answering(async () => {
    await look.promise;
    return [];
  });
  const gone = new AbortController();
  const first = expect(ask(gone.signal)).rejects.toThrow("gone");
  const second = ask();
  gone.abort(new Error("gone"));
  await first;
  look.resolve();
  expect(await second).toMatchObject({ told: true });
});

it("tells 256 at the most, and how many there are beyond", async () => {
  const ports = Array.from({ length: 300 }, (_, n) => 1_000 + n);
  const found = ports.map((port) => ({ port, address: "0.0.0.0", process: "\u202E\u0007" }));
  const answer = await answering(async () => found)();
  expect(answer).toMatchObject({ told: true, left_out: 44 });
  const told = answer.told ? answer.ports : [];
  expect(told.map(({ port }) => port)).toEqual(ports.slice(0, 256));
  expect(new Set(told.map(({ process }) => process))).toEqual(new Set([""]));
});
