import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import type { Client } from "@rport/protocol/model";
import type { Audit, AuditEntry } from "../../audit/entry.ts";
import type { ChangeBudget } from "../../users/changeBudget.ts";
import type { Answer, CallContext, Deletion, Handler, Handlers } from "../endpoints.ts";
import type { ChangeDescription, ChangeName } from "./changeDescription.ts";
import { CHANGE_DESCRIPTIONS, factsOf, TAKES_AWAY } from "./changeDescriptions.ts";

/** Entries of one call that wait for the disk together. */
const AT_ONCE = 500;

/** What the writing down of changes needs. */
export interface AuditedDeps {
  readonly audit: Audit;
  /** How much somebody may change. */
  readonly changes: Pick<ChangeBudget, "spend">;
  /** Asked before a change, because afterwards the client may be gone. */
  readonly clientOf: (id: ClientId) => Pick<Client, "id" | "hostname"> | undefined;
}

/**
 * The same handlers, with an entry on disk for each change before it is answered. While entries
 * cannot be written, nothing is granted any more; what takes rights away still happens.
 */
export function auditedHandlers(handlers: Handlers, deps: AuditedDeps): Handlers {
  const changes = Object.keys(CHANGE_DESCRIPTIONS) as ChangeName[];
  const audited = Object.fromEntries(
    changes.map((name) => [name, auditedHandler(name, handlers, deps)]),
  );
  return {
    ...handlers,
    ...audited,
    deleteClient: ifAsked(auditedHandler("deleteClient", handlers, deps)),
    deleteCredential: ifAsked(auditedHandler("deleteCredential", handlers, deps)),
    revokeSecret: ifAsked(auditedHandler("revokeSecret", handlers, deps)),
  };
}

/** One call may end thousands of credentials; the places for entries are everybody's. */
async function recordAll(records: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (let at = 0; at < records.length; at += AT_ONCE) {
    const piece = records.slice(at, at + AT_ONCE).map((record) => record());
    for (const each of await Promise.allSettled(piece)) {
      if (each.status === "rejected") failures.push(each.reason);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function auditedHandler<N extends ChangeName>(
  name: N,
  handlers: Pick<Handlers, N>,
  { audit, changes, clientOf }: AuditedDeps,
): Handler<N> {
  return async (input, context) => {
    if (!TAKES_AWAY.has(name)) {
      changes.spend(context.actor);
      await audit.ready();
      context.requireRight();
    }
    const client = "clientId" in input.params ? clientOf(input.params.clientId) : undefined;
    const who = { ...whoOf(context), clientId: client?.id, clientHostname: client?.hostname };
    let answer: Answer<N> | undefined;
    try {
      answer = await handlers[name](input, context);
    } catch (caught) {
      await recordFailure(CHANGE_DESCRIPTIONS[name](input, undefined), caught);
      throw caught;
    }
    const deletions = (answer?.deletions ?? []).map(entryOf);
    const description = CHANGE_DESCRIPTIONS[name](input, answer?.data);
    const entries = description === undefined ? deletions : [...deletions, description];
    await recordAll(entries.map((what) => () => audit.record({ ...who, ...what })));
    return answer;

    /** A refusal changed nothing. What went wrong on the way may have done a part. */
    async function recordFailure(
      what: ChangeDescription | undefined,
      caught: unknown,
    ): Promise<void> {
      const { status, code } = RportError.from(caught);
      if (what === undefined || status < 500) return;
      // The log says when there is no place for it; the caller is to know what went wrong first.
      await audit.record({ ...who, ...what, response: { error: code } }).catch(() => undefined);
    }
  };
}

/** The entry tells what a deletion did also when the caller did not ask; the answer does not. */
function ifAsked<N extends "deleteClient" | "deleteCredential" | "revokeSecret">(
  remove: Handler<N>,
): Handler<N> {
  return async (input, context) => {
    const answer = await remove(input, context);
    const { report, dry_run: dryRun } = input.query;
    return report === true || dryRun === true ? answer : undefined;
  };
}

function whoOf({ user, address }: CallContext): Pick<AuditEntry, "user" | "remoteIp"> {
  return { user, remoteIp: address };
}

/** The same entry as for a deletion by hand. */
function entryOf({ id, outcome }: Deletion): ChangeDescription {
  const isFailure = outcome instanceof RportError;
  const response = isFailure ? { error: outcome.code } : factsOf(outcome);
  return { application: "client.auth", action: "delete", affectedId: id, response };
}
