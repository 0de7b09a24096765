import { type Duplex, PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { Holdings } from "../../../../backend/src/limits/holdings.ts";

const socket = () => new PassThrough();

/** As the server does: asks first. */
function taker(users: Holdings<Duplex>, max: number) {
  return (one: PassThrough, user: string): boolean => {
    const isIn = users.hasRoom(one, user, max);
    if (isIn) users.take(one, user);
    return isIn;
  };
}

describe("the connections of one user", () => {
  it("are so many at the most, and one that ends makes room", () => {
    const users = new Holdings<Duplex>();
    const take = taker(users, 2);
    const first = socket();
    expect([first, socket(), socket()].map((one) => take(one, "eve"))).toEqual([true, true, false]);
    users.leave(first);
    expect(take(socket(), "eve")).toBe(true);
  });

  it("are not those of others", () => {
    const users = new Holdings<Duplex>();
    const take = taker(users, 1);
    take(socket(), "eve");
    expect(take(socket(), "anna")).toBe(true);
  });

  it("count once, however often the token is shown on them", () => {
    const users = new Holdings<Duplex>();
    const take = taker(users, 1);
    const one = socket();
    for (const _ of [1, 2, 3]) expect(take(one, "eve")).toBe(true);
    users.leave(one);
    users.leave(one);
    expect(take(socket(), "eve")).toBe(true);
  });

  it("are those of who used them last: a proxy lends one connection to many", () => {
    const users = new Holdings<Duplex>();
    const take = taker(users, 1);
    const lent = socket();
    take(lent, "eve");
    take(lent, "anna");
    expect(take(socket(), "eve")).toBe(true);
    expect(take(socket(), "anna")).toBe(false);
  });
});
