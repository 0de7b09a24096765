import { ADMINISTRATORS, type Permissions } from "@rport/protocol/people/right";
import type { Actor } from "../actor.ts";

/** What an actor is made from; asked each time. */
export interface AccountActorFacts {
  readonly tokenId: string;
  readonly accountId: string;
  readonly name: () => string;
  readonly scope: Actor["scope"];
  readonly groups: () => readonly string[];
  readonly permissions: () => Permissions;
}

/** A user as far as one token or session has shown them: what they may is what they may now. */
export class AccountActor implements Actor {
  readonly hasAccount = true;
  readonly #facts: AccountActorFacts;
  readonly #end = new AbortController();

  constructor(facts: AccountActorFacts) {
    this.#facts = facts;
  }

  get tokenId(): string {
    return this.#facts.tokenId;
  }

  get accountId(): string {
    return this.#facts.accountId;
  }

  get name(): string {
    return this.#facts.name();
  }

  get scope(): Actor["scope"] {
    return this.#facts.scope;
  }

  get groups(): readonly string[] {
    return this.ended.aborted ? [] : this.#facts.groups();
  }

  get isAdministrator(): boolean {
    return this.groups.includes(ADMINISTRATORS);
  }

  get permissions(): Permissions {
    return this.#facts.permissions();
  }

  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** What was shown works no longer. */
  end(): void {
    this.#end.abort();
  }
}
