import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { queryObjects } from "node:v8";
import { authIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { afterEach, beforeEach, expect, it } from "vitest";
import { SealedTarget } from "../../../../backend/src/pairing/targets/sealed.ts";
import type { PairingDraft } from "../../../../backend/src/pairing/targets/target.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

const TTL_MS = 600_000;
const COUNT = 50;
const SECRETS = [{ secretId: secretIdSchema.parse("secret-number-1"), secret: "x".repeat(43) }];
const SCRIPT = { sha256: "a".repeat(64), bytes: Buffer.from("#!/bin/sh\n") };

let service: Server;
let clock: FakeClock;
let target: SealedTarget;

beforeEach(async () => {
  // takes every deposit, and tells no news
  service = createServer((request, response) => {
    if (request.method === "PUT") request.resume().on("end", () => response.writeHead(201).end());
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  clock = new FakeClock();
  target = new SealedTarget({
    url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    key: undefined,
    scripts: async () => ({ sh: SCRIPT, ps1: undefined, targets: [] }),
    clock,
    log: testLog().log,
  });
});
afterEach(async () => {
  target.close();
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
});

function draft(): PairingDraft {
  return {
    payload: {
      server_urls: ["https://rport.example.com"],
      fingerprint: `SHA256:${"A".repeat(43)}`,
      auth_id: authIdSchema.parse("fleet"),
      name: "",
      tags: [],
    },
    hostname: "",
    expiresAtMs: clock.now() + TTL_MS,
    deadlineMs: clock.monotonic() + TTL_MS,
  };
}

/** Makes deposits, and waits until all about them is over. */
async function deposit(count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) await target.deposit(draft(), SECRETS);
  clock.advance(2 * TTL_MS);
  clock.advance(2 * TTL_MS);
}

it("keeps nothing of deposits that are over, on a server that makes pairings for years", async () => {
  await deposit(1);
  const before = queryObjects(Set, { format: "count" });
  await deposit(COUNT);
  expect(queryObjects(Set, { format: "count" }) - before).toBeLessThan(COUNT / 2);
});
