import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { Exchange } from "../../../../backend/src/http/exchange.ts";
import { localActor } from "../../../../backend/src/users/actor.ts";
import { testLog } from "../../../support/log.ts";

it("F-14: a user who is called like a network shares neither its turns nor its answers", async () => {
  const callers: string[] = [];
  const note = (caller: string) => void callers.push(caller);
  const exchangeOf = () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    return new Exchange(response, {
      address: "10.1.2.3",
      isShared: false,
      origin: "http://10.1.2.3",
      answers: { add: ({ accountId }) => note(accountId) },
      turns: { take: async (caller) => note(caller) },
      strangers: { note: () => {} },
      log: testLog().log,
    });
  };
  for (const name of [undefined, "10.1.2.3", "network 10.1.2.3"]) {
    const exchange = exchangeOf();
    const ended = new AbortController().signal;
    if (name !== undefined) exchange.actor = localActor({ tokenId: "t", name, ended });
    await exchange.turn();
    exchange.sendData(200, {});
  }
  expect(callers).toHaveLength(6);
  expect(new Set(callers).size).toBe(3);
});

describe("F-04: a page of large rows", () => {
  const ROW = "x".repeat(60_000);

  /** An exchange, how many rows were encoded at each turn, and what was counted by then. */
  function setUp({ endAfterBytes = Number.POSITIVE_INFINITY } = {}) {
    let encoded = 0;
    let counted = 0;
    const turns: { readonly encoded: number; readonly counted: number }[] = [];
    const sent: Buffer[] = [];
    const socket = new Socket();
    const request = new IncomingMessage(socket);
    const response = new ServerResponse(request);
    response.write = (piece: Buffer) => sent.push(piece) > 0;
    response.end = () => response;
    const exchange = new Exchange(response, {
      address: "10.1.2.3",
      isShared: false,
      origin: "http://10.1.2.3",
      answers: {
        add: (_caller, _response, bytes) => {
          counted += bytes;
          if (counted > endAfterBytes) socket.destroy();
        },
      },
      turns: { take: async () => void turns.push({ encoded, counted }) },
      strangers: { note: () => {} },
      log: testLog().log,
    });
    const row = {
      toJSON() {
        encoded += 1;
        return ROW;
      },
    };
    const rows = Array.from({ length: 500 }, () => row);
    return { exchange, rows, turns, sent, response, encoded: () => encoded };
  }

  it("is encoded a few rows at a time, each counted before the next, and is the same answer", async () => {
    const { exchange, rows, turns, sent, response } = setUp();
    await exchange.sendRows(200, rows, 900);
    const bytes = Buffer.concat(sent);
    const data = rows.map(() => ROW);
    expect(bytes.toString() === JSON.stringify({ data, meta: { count: 900 } })).toBe(true);
    expect(response.getHeader("Content-Length")).toBe(bytes.length);
    const steps = turns.map(({ encoded }, at) => encoded - (turns[at - 1]?.encoded ?? 0));
    expect(Math.max(...steps)).toBeLessThanOrEqual(2);
    for (const { encoded, counted } of turns) expect(counted).toBeGreaterThan(encoded * ROW.length);
  });

  it("is not encoded on when its connection was ended for what it has already", async () => {
    const { exchange, rows, sent, encoded } = setUp({ endAfterBytes: 1_000_000 });
    await exchange.sendRows(200, rows, 900);
    expect(encoded()).toBeLessThan(25);
    expect(sent).toEqual([]);
  });

  it("is what it always was where there is little of it", async () => {
    for (const [rows, count] of [
      [[], 0],
      [[{ a: 1 }], 1],
      [["x"], undefined],
    ] as const) {
      const { exchange, sent } = setUp();
      await exchange.sendRows(200, rows, count);
      const meta = count === undefined ? {} : { meta: { count } };
      expect(Buffer.concat(sent).toString()).toBe(JSON.stringify({ data: rows, ...meta }));
    }
  });
});
