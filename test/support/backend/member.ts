import { type Permission, permissionsSchema, type TokenScope } from "@rport/protocol/people/right";
import { tokenPrefixSchema } from "@rport/protocol/people/token";
import { groupNameSchema, userNameSchema } from "@rport/protocol/people/user";
import type { Actor } from "../../../backend/src/users/actor.ts";
import { TestApi } from "./api.ts";
import type { RunningBackend } from "./backend.ts";
import { EventStream } from "./eventStream.ts";
import { groups, sessionRecord, tokenRecord, userRecord } from "./people.ts";

/** A user whose rights a test decides. */
export interface Member {
  readonly name: string;
  /** Opens what the user may open. */
  readonly token: string;
  readonly api: TestApi;
  /** Opens the event socket. */
  events(): EventStream;
  /** Puts the user into these groups, and no others. */
  join(...names: string[]): Promise<void>;
}

/** What was shown: a personal token of some scope, or a password without its second factor. */
type Shown = TokenScope | "signingIn";

/** The users of one backend, with tokens that its door knows beside its own. */
export class Members {
  readonly #running: RunningBackend;
  readonly #actors = new Map<string, Actor>();
  #count = 0;

  constructor(running: RunningBackend) {
    this.#running = running;
    const { tokens } = running.backend;
    const check = tokens.check.bind(tokens);
    tokens.check = (token) => this.#actors.get(token) ?? check(token);
  }

  /** Makes a group of users with these permissions, or changes it. */
  async group(name: string, ...permissions: readonly Permission[]): Promise<void> {
    const given = permissionsSchema.parse(
      Object.fromEntries(permissions.map((permission) => [permission, true])),
    );
    const record = { name: groupNameSchema.parse(name), permissions: given };
    await this.#commit({ kind: "putGroup", record });
  }

  /** Makes a user in these groups, who has shown a token of this scope. */
  async add(name: string, names: readonly string[], shown: Shown = "read+write"): Promise<Member> {
    const user = userNameSchema.parse(name);
    this.#count += 1;
    const facts = { groups: groups(...names), created_at: new Date(0).toISOString() };
    await this.#commit({ kind: "addUser", record: userRecord(name, facts) });
    const token = `token-of-${this.#count}`;
    this.#actors.set(token, await this.#actorOf(name, shown));
    const { url } = this.#running;
    return {
      name,
      token,
      api: new TestApi(url, token),
      events: () => new EventStream(url, token),
      join: (...others) =>
        this.#commit({
          kind: "changeUser",
          user,
          to: { groups: groups(...others) },
          atMs: Date.now(),
        }),
    };
  }

  /** Another token of a user who is there. */
  async token(name: string): Promise<string> {
    this.#count += 1;
    const token = `token-of-${this.#count}`;
    this.#actors.set(token, await this.#actorOf(name, "read+write"));
    return token;
  }

  /** Ends a personal token of a user. */
  async endToken(name: string, token: string): Promise<void> {
    const prefix = tokenPrefixSchema.parse(this.#actors.get(token)?.tokenId);
    const user = userNameSchema.parse(name);
    await this.#commit({ kind: "endToken", user, prefix, atMs: Date.now() });
  }

  async #actorOf(name: string, shown: Shown): Promise<Actor> {
    const user = userNameSchema.parse(name);
    const { actors } = this.#running.backend.accounts.ledger;
    const entryOf = () => {
      const entry = this.#running.backend.accounts.ledger.get(name);
      if (entry === undefined) throw new Error(`there is no user ${name}`);
      return entry;
    };
    if (shown === "signingIn") {
      const record = sessionRecord(name, this.#count, { scope: "second-factor" });
      await this.#commit({ kind: "addSession", user, record });
      return actors.ofSession(entryOf(), record);
    }
    const record = tokenRecord(name, this.#count, { scope: shown });
    await this.#commit({ kind: "addToken", user, record });
    return actors.ofToken(entryOf(), record);
  }

  #commit(edit: Parameters<RunningBackend["backend"]["accounts"]["edits"]["commit"]>[0][number]) {
    return this.#running.backend.accounts.edits.commit([edit]);
  }
}
