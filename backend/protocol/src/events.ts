import { z } from "zod";
import { listOf } from "./asking/untilFault.ts";
import { authIdSchema, clientIdSchema, pairingIdSchema } from "./ids.ts";
import { joinSchema } from "./join.ts";
import { clientSchema, credentialSchema, tunnelSchema } from "./model.ts";
import { pairingSchema } from "./pairing/model.ts";
import { userNameSchema, userSchema } from "./people/user.ts";
import { refusalSchema } from "./refusal.ts";
import { type ServerStatus, serverStatusSchema } from "./serverStatus.ts";

/** One row of the table: a kind of thing of which there are many. */
interface Row<S extends z.ZodType, I extends z.ZodType<string>, L extends string> {
  readonly schema: S;
  readonly id: I;
  /** The id of a value, as changes name it. */
  readonly keyOf: (value: z.output<S>) => string;
  /** What the list of all of them is called in a snapshot. */
  readonly list: L;
  /**
   * What a snapshot without the list means: nothing of the kind (a server older than the kind), or
   * no snapshot at all.
   */
  readonly ifMissing: "empty" | "refused";
}

function row<S extends z.ZodType, I extends z.ZodType<string>, const L extends string>(
  entry: Row<S, I, L>,
): Row<S, I, L> {
  return entry;
}

/**
 * Every kind of thing that watchers are told of, once; beside them stands `server`, of which there
 * is one. The snapshot, the changes, the server's hub and the editor's mirror follow from this
 * table. A new kind is its schema, its row here, and its source in the server.
 */
export const ENTITIES = {
  client: row({
    schema: clientSchema,
    id: clientIdSchema,
    keyOf: ({ id }) => id,
    list: "clients",
    ifMissing: "refused",
  }),
  credential: row({
    schema: credentialSchema,
    id: authIdSchema,
    keyOf: ({ id }) => id,
    list: "credentials",
    ifMissing: "refused",
  }),
  /** Its id is `<client id>/<tunnel id>`. */
  tunnel: row({
    schema: tunnelSchema,
    id: z.string().max(200),
    keyOf: ({ client_id: clientId, id }) => `${clientId}/${id}`,
    list: "tunnels",
    ifMissing: "refused",
  }),
  pairing: row({
    schema: pairingSchema,
    id: pairingIdSchema,
    keyOf: ({ id }) => id,
    list: "pairings",
    ifMissing: "refused",
  }),
  join: row({
    schema: joinSchema,
    id: z.string().max(64),
    keyOf: ({ id }) => id,
    list: "joins",
    ifMissing: "empty",
  }),
  refusal: row({
    schema: refusalSchema,
    id: z.string().max(64),
    keyOf: ({ id }) => id,
    list: "refusals",
    ifMissing: "empty",
  }),
  /** For administrators only. */
  user: row({
    schema: userSchema,
    id: userNameSchema,
    keyOf: ({ username }) => username,
    list: "users",
    ifMissing: "empty",
  }),
} as const;

type Table = typeof ENTITIES;

/** A kind of thing of which there are many. */
export type Entity = keyof Table;

/** Every kind, in the order of a snapshot. */
export const ENTITY_NAMES = Object.keys(ENTITIES) as readonly Entity[];

/** What a thing of this kind looks like. */
export type EntityValue<E extends Entity> = z.output<Table[E]["schema"]>;

/** What the list of a kind is called in a snapshot. */
export type ListName<E extends Entity> = Table[E]["list"];

/** One thing of a kind as it is now; a null value means it is gone. */
export type EntityChange<E extends Entity = Entity> = {
  readonly [K in E]: {
    readonly entity: K;
    readonly id: z.output<Table[K]["id"]>;
    readonly value: EntityValue<K> | null;
  };
}[E];

/** One thing as it is now; a null value means it is gone. */
export type Change = { readonly entity: "server"; readonly value: ServerStatus } | EntityChange;

function changeSchemaOf(entity: Entity) {
  const { schema, id } = ENTITIES[entity];
  return z.object({ entity: z.literal(entity), id, value: schema.nullable() });
}

// the union of what the rows say is `Change`, which the compiler cannot see through the list
const change = z.discriminatedUnion("entity", [
  z.object({ entity: z.literal("server"), value: serverStatusSchema }),
  ...ENTITY_NAMES.map(changeSchemaOf),
]) as z.ZodType<Change>;

/** The lists of a snapshot, by name. */
export type EntityLists = { readonly [E in Entity as ListName<E>]: readonly EntityValue<E>[] };

function listSchemaOf(entity: Entity) {
  const { schema, list, ifMissing } = ENTITIES[entity];
  const all = listOf(schema);
  return [list, ifMissing === "empty" ? all.default([]) : all] as const;
}

const listSchemas = Object.fromEntries(ENTITY_NAMES.map(listSchemaOf)) as unknown as {
  [E in Entity as ListName<E>]: z.ZodType<readonly EntityValue<E>[]>;
};

/** No message of the event socket is larger, however many things there are. */
export const EVENT_MESSAGE_MAX_BYTES = 1_048_576;

/**
 * The event socket, `GET /api/v1/events` as a WebSocket with `Authorization: Bearer`. The server
 * sends one `snapshot`, as long as that says `more` the `piece`s that belong to it, then `delta`s
 * whose `seq` grows by one. A gap in `seq`, or close code `resync`, means: connect again. The
 * consumer sends nothing; WebSocket pings keep it alive.
 */
export const snapshotSchema = z.object({
  type: z.literal("snapshot"),
  seq: z.number().int().nonnegative(),
  at: z.iso.datetime({ offset: true }),
  server: serverStatusSchema,
  ...listSchemas,
  /** Whether a `piece` follows that belongs to it. */
  more: z.boolean().default(false),
});

/** Everything there is, or as much as fits, sent at the start of each connection. */
export type Snapshot = z.infer<typeof snapshotSchema>;

/** More of a snapshot, with the `seq` of that. What there is, is all that its messages list. */
export const pieceSchema = z.object({
  type: z.literal("piece"),
  seq: z.number().int().nonnegative(),
  ...listSchemas,
  /** Whether another one follows. */
  more: z.boolean(),
});

/** More of a snapshot. */
export type Piece = z.infer<typeof pieceSchema>;

/** The lists of a snapshot, each as `listOf` answers for its kind. */
export function entityLists(
  listOf: <E extends Entity>(entity: E) => readonly EntityValue<E>[],
): EntityLists {
  const lists = ENTITY_NAMES.map((entity) => [ENTITIES[entity].list, listOf(entity)]);
  return Object.fromEntries(lists) as EntityLists;
}

/** The things of a snapshot as the changes that lead to it from nothing. */
export function* changesTo(lists: EntityLists): Generator<EntityChange> {
  for (const entity of ENTITY_NAMES) {
    const { list, keyOf } = ENTITIES[entity];
    // the list that a row names holds what its key is taken of
    const idOf = keyOf as (value: EntityValue<Entity>) => string;
    for (const value of lists[list]) yield { entity, id: idOf(value), value } as EntityChange;
  }
}

/**
 * What changed since the message before. Each change carries the whole entity, so order within one
 * entity is all that matters.
 */
export const deltaSchema = z.object({
  type: z.literal("delta"),
  seq: z.number().int().positive(),
  at: z.iso.datetime({ offset: true }),
  changes: listOf(change, { min: 1 }),
});

/** What changed since the message before. */
export type Delta = z.infer<typeof deltaSchema>;

/** Any message of the event socket. */
export const eventMessageSchema = z.discriminatedUnion("type", [
  snapshotSchema,
  pieceSchema,
  deltaSchema,
]);

/** Any message of the event socket. */
export type EventMessage = z.infer<typeof eventMessageSchema>;
