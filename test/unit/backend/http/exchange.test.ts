import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, it } from "vitest";
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
      answers: { add: note },
      turns: { take: async (caller) => note(caller) },
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
