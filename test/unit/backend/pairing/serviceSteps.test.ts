import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type PairingId, pairingIdSchema } from "@rport/protocol/ids";
import type { ServiceStep } from "@rport/protocol/pairing/service";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ServiceSteps } from "../../../../backend/src/pairing/targets/serviceSteps.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { testLog } from "../../../support/log.ts";

/** What a pairing service in wrong hands may cost the server that asks it. */
const ID = pairingIdSchema.parse("0123456789ABCDEF");

let service: Server;
let questions = 0;
let stepsOf: (question: number) => readonly object[];
let clock: FakeClock;
let heard: ServiceStep[];
let watching: ServiceSteps;

beforeEach(async () => {
  questions = 0;
  service = createServer((request, response) => {
    request.resume().on("end", () => {
      questions += 1;
      const deposits = [{ id: ID, is_known: true, steps: stepsOf(questions) }];
      response.end(JSON.stringify({ deposits }));
    });
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  clock = new FakeClock();
  heard = [];
  watching = new ServiceSteps({
    url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    clock,
    log: testLog().log,
    onStep: (_id: PairingId, step) => void heard.push(step),
  });
});
afterEach(async () => {
  watching.close();
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
});

const fetched = (n: number) => ({ n, kind: "fetched", address: "192.0.2.1" });

it("is asked once a second, when it has news each time, and at once for the first few", async () => {
  stepsOf = (question) => [fetched(question)];
  watching.add(ID, "w".repeat(43), 600_000);
  await eventually(() => expect(heard).toHaveLength(21));
  expect(questions).toBe(21);
  for (const more of [22, 23]) {
    clock.advance(1_000);
    await eventually(() => expect(heard).toHaveLength(more));
    expect(questions).toBe(more);
  }
});

it("is listened to for so many steps of a deposit, and for its claims in any case", async () => {
  const claim = { kind: "claimed", use: "use-1", client_id: "web-1", hostname: "web-1" };
  stepsOf = (question) =>
    question < 3
      ? Array.from({ length: 200 }, (_, at) => fetched(200 * (question - 1) + at + 1))
      : [{ ...claim, n: 401, address: "192.0.2.1" }];
  watching.add(ID, "w".repeat(43), 600_000);
  await eventually(() => expect(heard.at(-1)?.kind).toBe("claimed"));
  expect(heard).toHaveLength(301);
});
