import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import type { PairingId } from "@rport/protocol/ids";
import type { DepositRequest } from "@rport/protocol/pairing/service";
import { newPairingToken, reportProof, tokenParts } from "@rport/protocol/sealing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AlonePairing } from "../../../backend/src/alone/pairing.ts";
import { SERVICE_KEY, startPairingService } from "../../support/pairing/pairingService.ts";

/**
 * What a stranger, or a server that was taken over, may cost a pairing service that others use, too.
 */
import { within } from "../../support/within.ts";

const SCRIPT = Buffer.from("#!/bin/sh\n");
const SHA256 = createHash("sha256").update(SCRIPT).digest("hex");

let service: AlonePairing & { readonly logLines: readonly string[] };
beforeEach(async () => {
  service = await startPairingService();
});
afterEach(() => service[Symbol.asyncDispose]());

interface Made {
  readonly id: PairingId;
  readonly watchKey: string;
  readonly claimKey: Buffer;
}

const base64 = (bytes: number): string => randomBytes(bytes).toString("base64url");

async function send(method: string, path: string, body: unknown): Promise<Response> {
  const init = { method, headers: { Authorization: `Bearer ${SERVICE_KEY}` } };
  if (Buffer.isBuffer(body))
    return fetch(service.url + path, { ...init, body: new Uint8Array(body) });
  const headers = { ...init.headers, "Content-Type": "application/json" };
  return fetch(service.url + path, { method, headers, body: JSON.stringify(body) });
}

async function deposit(
  sealedLength = 100,
  uses = 1,
  made: Made = newDeposit(),
): Promise<Made & { readonly status: number }> {
  await send("PUT", `/pair/v1/scripts/${SHA256}`, SCRIPT);
  const request = requestOf(made, sealedLength, uses);
  const { status } = await send("PUT", `/pair/v1/deposits/${made.id}`, request);
  return { ...made, status };
}

function requestOf(
  { id, claimKey, watchKey }: Made,
  sealedLength: number,
  uses = 1,
): DepositRequest {
  const envelope = {
    v: 1 as const,
    id,
    expires: "2030-01-01T00:00:00Z",
    salt: base64(16),
    iv: base64(12),
    ct: "A".repeat(sealedLength),
    tag: base64(16),
  };
  return {
    claim_key: claimKey.toString("base64url"),
    watch_key: watchKey,
    expires_in: 3_600,
    hostname: "",
    uses: Array.from({ length: uses }, (_, n) => ({ use: `use-${n}`, envelope })),
    scripts: { sh: SHA256 },
  };
}

function newDeposit(): Made {
  const { id, claimKey } = tokenParts(newPairingToken());
  return { id, claimKey, watchKey: base64(32) };
}

const ask = ({ id, watchKey }: Made, after: number) => ({ id, watch_key: watchKey, after });

async function report({ id, claimKey }: Made, text: string): Promise<void> {
  const facts = {
    id,
    claimant: base64(16),
    kind: "failed" as const,
    client_id: "x".repeat(128),
    hostname: "x".repeat(255),
    step: "x".repeat(200),
    text,
  };
  const proof = reportProof({ claimKey }, facts);
  const { status } = await send("POST", "/pair/v1/report", { ...facts, proof });
  expect(status).toBe(200);
}

describe("a pairing service", () => {
  it("refuses a question that names one deposit again and again", async () => {
    const made = await deposit();
    const deposits = Array.from({ length: 1_000 }, () => ask(made, 0));
    const answer = await send("POST", "/pair/v1/steps", { deposits });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("not well-formed: deposits");
  });

  it("keeps what hosts say as printable lines, and tells a megabyte of it at a time", async () => {
    const all: Made[] = [];
    for (let n = 0; n < 24; n += 1) {
      const made = await deposit(100, 100);
      all.push(made);
      for (let k = 0; k < 64; k += 1) await report(made, "\u0001".repeat(500));
    }
    let asked = all.map((made) => ask(made, 0));
    let told = 0;
    for (let round = 0; round < 5; round += 1) {
      const text = await (await send("POST", "/pair/v1/steps", { deposits: asked })).text();
      expect(text.length).toBeLessThan(1.2 * 2 ** 20);
      expect(text).not.toContain("\\u0001");
      const { deposits } = JSON.parse(text) as { deposits: { steps: { n: number }[] }[] };
      const news = deposits.reduce((sum, { steps }) => sum + steps.length, 0);
      told += news;
      if (news === 0) break;
      asked = asked.map((one, at) => ({
        ...one,
        after: deposits[at]?.steps.at(-1)?.n ?? one.after,
      }));
      if (told === 24 * 64) break;
    }
    expect(told).toBe(24 * 64);
  }, 30_000);

  it("wakes a question by its own deposits only, and bounds how many wait", async () => {
    const [mine, other] = [await deposit(), await deposit()];
    const gone = new AbortController();
    const wait = (made: Made) =>
      service.desk.steps(
        { deposits: [ask(made, 0)] },
        { address: "192.0.2.1", signal: gone.signal },
      );
    const waiting = Array.from({ length: 64 }, () => wait(other));
    await expect(wait(mine)).rejects.toMatchObject({ code: "TOO_MANY_REQUESTS" });
    let woken = 0;
    for (const one of waiting) void one.then(() => (woken += 1));
    expect((await fetch(`${service.url}/p/${mine.id}`)).status).toBe(200);
    expect(woken).toBe(0);
    expect((await fetch(`${service.url}/p/${other.id}`)).status).toBe(200);
    const answers = await Promise.all(waiting);
    expect(answers.every(({ deposits }) => deposits[0]?.steps[0]?.kind === "fetched")).toBe(true);
    expect(service.logLines.join()).toContain("pairing_questions");
    gone.abort();
  });

  it("keeps no place for a question whose server says no more, and may have left", async () => {
    const body = JSON.stringify({ deposits: [ask(await deposit(), 0)] });
    const { port, host } = new URL(service.url);
    const head = `POST /pair/v1/steps HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json`;
    const socket = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true });
    let answer = "";
    socket.setEncoding("utf8").on("data", (chunk) => {
      answer += chunk;
    });
    socket.end(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    // far sooner than a question is let wait
    await within("the answer", once(socket, "close"), 10_000);
    expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*"steps":\[\]/);
  });

  it("does not wait with somebody who counts beyond what there is", async () => {
    const made = await deposit();
    await fetch(`${service.url}/p/${made.id}`);
    const answer = await send("POST", "/pair/v1/steps", { deposits: [ask(made, 9e12)] });
    expect(await answer.json()).toMatchObject({ deposits: [{ steps: [{ n: 1 }] }] });
  });

  it("has a budget of bytes for each server, which a greater deposit in place of a small one counts in", async () => {
    const small = await deposit(10, 1);
    const statuses: number[] = [];
    for (let n = 0; n < 22; n += 1) statuses.push((await deposit(7_990, 100)).status);
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(10);
    expect(statuses.at(-1)).toBe(503);
    expect((await deposit(7_990, 100, small)).status).toBe(503);
    expect(service.logLines.join()).toContain("deposit_bytes");
    expect((await deposit(10, 1)).status).toBe(201);
  }, 30_000);

  it("is not filled up by one server that takes back what it deposits", async () => {
    await service[Symbol.asyncDispose]();
    service = await startPairingService({ limits: { pairings: 32 } });
    const statuses: number[] = [];
    for (let n = 0; n < 33; n += 1) {
      const made = await deposit();
      statuses.push(made.status);
      const headers = { Authorization: `Bearer ${made.watchKey}` };
      await fetch(`${service.url}/pair/v1/deposits/${made.id}`, { method: "DELETE", headers });
    }
    // a quarter of four times as many as may be open
    expect(statuses.indexOf(503)).toBe(32);
  });

  it("takes from a second network no more into the place of a deposit than the first has left", async () => {
    await service[Symbol.asyncDispose]();
    service = await startPairingService({ limits: { pairings: 32, deposit_bytes: 1 << 20 } });
    const { desk } = service;
    const [here, there] = ["192.0.2.1", "198.51.100.1"];
    desk.scripts.keep(SHA256, SCRIPT, here);
    const small = Array.from({ length: 8 }, () => newDeposit());
    for (const made of small) desk.deposit(made.id, requestOf(made, 1_000), here);
    const renewed = small.filter((made) => {
      try {
        desk.deposit(made.id, requestOf(made, 100_000), there);
        return true;
      } catch (caught) {
        expect(caught).toMatchObject({ code: "UNAVAILABLE" });
        return false;
      }
    });
    // a quarter of a mebibyte
    expect(renewed).toHaveLength(2);
    const own = newDeposit();
    desk.deposit(own.id, requestOf(own, 100_000), there);
  });

  it("takes again what a server deposits whose address has changed", async () => {
    await service[Symbol.asyncDispose]();
    service = await startPairingService({ limits: { pairings: 8 } });
    const { desk } = service;
    const [made, more] = [newDeposit(), newDeposit()];
    desk.scripts.keep(SHA256, SCRIPT, "192.0.2.1");
    for (const one of [made, more]) desk.deposit(one.id, requestOf(one, 1_000), "192.0.2.1");
    for (const address of ["2001:db8::/64", "192.0.2.1"]) {
      desk.deposit(made.id, requestOf(made, 1_000), address);
    }
    const third = newDeposit();
    const request = requestOf(third, 1_000);
    expect(() => desk.deposit(third.id, request, "192.0.2.1")).toThrow(/no place/);
    desk.deposit(third.id, request, "2001:db8::/64");
  });

  it("keeps a claim for its server however often strangers fetch the script", async () => {
    const made = await deposit();
    await report(made, "what went wrong");
    for (let n = 0; n < 320; n += 1) await fetch(`${service.url}/p/${made.id}`);
    const answer = await send("POST", "/pair/v1/steps", { deposits: [ask(made, 0)] });
    const { deposits } = (await answer.json()) as { deposits: { steps: { kind: string }[] }[] };
    expect(deposits[0]?.steps[0]?.kind).toBe("reported");
    const lines = service.logLines.filter((line) => line.includes('"pairing fetched"'));
    expect(lines).toHaveLength(5);
  }, 30_000);
});
