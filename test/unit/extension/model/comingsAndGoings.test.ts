import type { Client } from "@rport/protocol/model";
import { beforeEach, describe, expect, it } from "vitest";
import {
  ComingsAndGoings,
  SETTLED_MS,
} from "../../../../extension/src/commands/notices/comingsAndGoings.ts";
import { FakeClock } from "../../../support/clock.ts";
import { client } from "../entities.ts";

const AFTER_SERVER_MS = 60_000;

const away = (id: string, kind = "lost") =>
  client(id, {
    connection_state: "disconnected",
    disconnected_at: "2030-01-01T12:00:00Z",
    connection_end: { kind, text: "" },
  });

/** The comings and goings of a server's clients, and its clients. */
class Scene {
  readonly clock = new FakeClock();
  readonly seen = new ComingsAndGoings(this.clock);
  readonly clients = new Map<string, Client>();

  /** Sets how clients are at a moment after the start. */
  at(ms: number, ...clients: readonly Client[]): void {
    this.#moveTo(ms);
    for (const each of clients) {
      this.clients.set(each.id, each);
      this.seen.change(each.id, each);
    }
  }

  /** What is news at a moment after the start. */
  news(ms: number) {
    this.#moveTo(ms);
    const { gone, back } = this.seen.news((id) => this.clients.get(id));
    return { gone: gone.map(({ id }) => id), back: back.map(({ id }) => id) };
  }

  #moveTo(ms: number): void {
    this.clock.advance(ms - this.clock.monotonic());
  }
}

describe("that clients come and go", () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
    for (const each of [client("web-01"), client("web-02"), away("db-01")]) {
      scene.clients.set(each.id, each);
    }
    scene.seen.reset(scene.clients);
  });

  it("is no news when it was so from the beginning", () => {
    expect(scene.seen.isPending).toBe(false);
    expect(scene.news(2 * SETTLED_MS)).toEqual({ gone: [], back: [] });
  });

  it("is news once, when it has lasted", () => {
    scene.at(0, away("web-01"));
    expect(scene.seen.isPending).toBe(true);
    expect(scene.news(SETTLED_MS - 1)).toEqual({ gone: [], back: [] });
    expect(scene.news(SETTLED_MS)).toEqual({ gone: ["web-01"], back: [] });
    expect(scene.news(2 * SETTLED_MS)).toEqual({ gone: [], back: [] });
    scene.at(30_000, client("web-01"), client("db-01"));
    expect(scene.news(40_000)).toEqual({ gone: [], back: ["web-01", "db-01"] });
    expect(scene.seen.isPending).toBe(false);
  });

  it.each([
    ["forward", 86_400_000],
    ["back", -86_400_000],
  ])(
    "is news when it has lasted, also when the computer's clock is set %s meanwhile",
    (_way, ms) => {
      scene.at(0, away("web-01"));
      scene.clock.jump(ms);
      expect(scene.news(SETTLED_MS - 1)).toEqual({ gone: [], back: [] });
      expect(scene.news(SETTLED_MS)).toEqual({ gone: ["web-01"], back: [] });
    },
  );

  it("is no news when it was over at once", () => {
    scene.at(0, away("web-01"));
    scene.at(5_000, client("web-01"));
    scene.at(9_000, away("web-01"));
    expect(scene.news(SETTLED_MS)).toEqual({ gone: [], back: [] });
    expect(scene.news(9_000 + SETTLED_MS)).toEqual({ gone: ["web-01"], back: [] });
  });

  it("takes longer to be news when the server itself was gone", () => {
    scene.clients.set("web-01", away("web-01", "server"));
    scene.seen.reset(scene.clients);
    expect(scene.news(AFTER_SERVER_MS - 1)).toEqual({ gone: [], back: [] });
    expect(scene.news(AFTER_SERVER_MS)).toEqual({ gone: ["web-01"], back: [] });
  });

  it("is no news of a client that is new, or was deleted", () => {
    scene.at(0, away("web-09"), away("web-02"));
    scene.clients.delete("web-02");
    scene.seen.change("web-02", undefined);
    scene.at(0, away("web-01"));
    scene.clients.delete("web-01");
    scene.seen.reset(scene.clients);
    expect(scene.seen.isPending).toBe(false);
    expect(scene.news(SETTLED_MS)).toEqual({ gone: [], back: [] });
  });
});
