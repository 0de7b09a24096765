import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pairingIdSchema } from "@rport/protocol/ids";
import { type ServiceStep, stepsAnswerSchema } from "@rport/protocol/pairing/service";
import { afterEach, beforeEach, expect, it } from "vitest";
import { jsonOf } from "../../../../backend/src/pairing/targets/askService.ts";
import {
  ServiceSteps,
  type WatchedDeposit,
} from "../../../../backend/src/pairing/targets/serviceSteps.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { testLog } from "../../../support/log.ts";

/** What a pairing service in wrong hands may cost the server that asks it. */
const ID = pairingIdSchema.parse("0123456789ABCDEF");
const DEPOSIT: WatchedDeposit = {
  watchKey: "w".repeat(43),
  forMs: 600_000,
  onStep: (step) => void heard.push(step),
};

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
  watching.add(ID, DEPOSIT);
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
  watching.add(ID, DEPOSIT);
  await eventually(() => expect(heard.at(-1)?.kind).toBe("claimed"));
  expect(heard).toHaveLength(301);
});

it("is given up at the first of its steps that is none, whatever the others are", () => {
  const steps = Array.from({ length: 300 }, () => ({ kind: "reported" }));
  const deposits = Array.from({ length: 500 }, () => ({ id: ID, is_known: true, steps }));
  const { error } = stepsAnswerSchema.safeParse({ deposits });
  expect(error?.issues).toHaveLength(1);
  const tooMany = { id: ID, is_known: true, steps: Array.from({ length: 301 }, () => fetched(1)) };
  expect(stepsAnswerSchema.safeParse({ deposits: [tooMany] }).success).toBe(false);
});

it.each([
  ["is nested without end", `${"[".repeat(500_000)}${"]".repeat(500_000)}`],
  ["has more members than all steps", `{"deposits":[${"{},".repeat(150_000)}{}]}`],
])("is asked again after a pause when its answer %s, which is not parsed", async (_what, text) => {
  const answer = { status: 200, text };
  expect(() => jsonOf(answer, "http://service.test", 100_000)).toThrow(
    expect.objectContaining({ code: "PAIRING_SERVICE", detail: "not-json" }),
  );
});

it("is heard in printable lines", () => {
  const named = "web\u202e-1\u001b[2J\nnext\ud800";
  const step = { n: 1, kind: "claimed", use: "use-1", client_id: "web-1", hostname: named };
  const answer = { deposits: [{ id: ID, is_known: true, steps: [{ ...step, address: named }] }] };
  const [heardStep] = stepsAnswerSchema.parse(answer).deposits[0]?.steps ?? [];
  expect(heardStep).toMatchObject({ hostname: "web -1 [2J next\ufffd" });
  expect(heardStep?.address).toBe("web -1 [2J next\ufffd");
});
