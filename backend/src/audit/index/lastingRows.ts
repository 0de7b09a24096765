import { z } from "zod";
import type { SqlValue, Statement } from "../../store/sqlite/database.ts";
import type { SealedEntry } from "../chain.ts";
import type { AuditBody } from "../entry.ts";

/** Newest of them that are kept: of a kind that people make one by one. */
const ROWS_MAX = 200_000;

/** The table of entries that are asked for however old they are. */
export const LASTING_TABLE = `CREATE TABLE lasting (
    seq INTEGER PRIMARY KEY,
    timestamp TEXT NOT NULL,
    username TEXT NOT NULL,
    application TEXT NOT NULL,
    affected_id TEXT NOT NULL,
    request TEXT NOT NULL,
    response TEXT NOT NULL
  ) STRICT;
  CREATE INDEX lasting_of ON lasting (username);
  CREATE INDEX lasting_about ON lasting (application);`;

const json = z.string().transform((text): unknown => JSON.parse(text));

/** A secret that somebody made, or a user who got another name. `request` and `response` are parsed. */
export const lastingRowSchema = z.object({
  timestamp: z.string(),
  username: z.string(),
  application: z.string(),
  affected_id: z.string(),
  request: json,
  response: json,
});

/** A secret that somebody made, or a user who got another name. */
export type LastingRow = z.infer<typeof lastingRowSchema>;

const COLUMNS = "timestamp, username, application, affected_id, request, response";

/** The statement that reads every change of a user's name. */
export const RENAMES: Statement = {
  sql: `SELECT ${COLUMNS} FROM lasting WHERE application IN ('auth.user', 'auth.user.me')
        ORDER BY seq`,
  params: [],
};

/** The statement that reads what these users did. */
export function lastingOf(usernames: readonly string[]): Statement {
  return {
    sql: `SELECT ${COLUMNS} FROM lasting
          WHERE username IN (SELECT value FROM json_each(?)) ORDER BY seq`,
    params: [JSON.stringify(usernames)],
  };
}

/** What an index does with new entries beside listing them; nothing for most. */
export function lastingStatements(entries: readonly SealedEntry[]): readonly Statement[] {
  const lasting = entries.map(({ body }) => body).filter(isLasting);
  if (lasting.length === 0) return [];
  return [...lasting.map(insertion), PRUNING];
}

const PRUNING: Statement = {
  sql: `DELETE FROM lasting WHERE seq <=
        (SELECT seq FROM lasting ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
  params: [ROWS_MAX],
};

const MAKES_SECRETS: ReadonlySet<string> = new Set(["client.auth", "client.auth.secret"]);
const RENAMES_USERS: ReadonlySet<string> = new Set(["auth.user", "auth.user.me"]);

function isLasting({ application, action, request }: AuditBody): boolean {
  if (MAKES_SECRETS.has(application)) return action === "create";
  const isRename = RENAMES_USERS.has(application) && action === "update";
  return isRename && typeof request.username === "string" && request.username !== "";
}

function insertion(body: AuditBody): Statement {
  const values: readonly SqlValue[] = [
    body.seq,
    body.at,
    body.user,
    body.application,
    body.affected_id,
    JSON.stringify(body.request),
    JSON.stringify(body.response),
  ];
  return {
    sql: `INSERT OR REPLACE INTO lasting (seq, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    params: values,
  };
}
