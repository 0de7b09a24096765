import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { UserConnections } from "../../../../backend/src/sockets/userConnections.ts";

const socket = () => new PassThrough();

describe("the connections of one user", () => {
  it("are so many at the most, and one that ends makes room", () => {
    const users = new UserConnections();
    const first = socket();
    expect([first, socket(), socket()].map((one) => users.take(one, "eve", 2))).toEqual([
      true,
      true,
      false,
    ]);
    users.leave(first);
    expect(users.take(socket(), "eve", 2)).toBe(true);
  });

  it("are not those of others", () => {
    const users = new UserConnections();
    users.take(socket(), "eve", 1);
    expect(users.take(socket(), "anna", 1)).toBe(true);
  });

  it("count once, however often the token is shown on them", () => {
    const users = new UserConnections();
    const one = socket();
    for (const _ of [1, 2, 3]) expect(users.take(one, "eve", 1)).toBe(true);
    users.leave(one);
    users.leave(one);
    expect(users.take(socket(), "eve", 1)).toBe(true);
  });

  it("are those of who used them last: a proxy lends one connection to many", () => {
    const users = new UserConnections();
    const lent = socket();
    users.take(lent, "eve", 1);
    users.take(lent, "anna", 1);
    expect(users.take(socket(), "eve", 1)).toBe(true);
    expect(users.take(socket(), "anna", 1)).toBe(false);
  });
});
