import type { DatabaseSchema } from "./sqliteMessages.ts";

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE secret (
     id TEXT PRIMARY KEY,
     credential_id TEXT NOT NULL,
     seq INTEGER NOT NULL,
     scheme TEXT NOT NULL CHECK (scheme IN ('hmac', 'scrypt')),
     verifier BLOB NOT NULL,
     origin TEXT NOT NULL CHECK (origin IN ('initial', 'typed', 'pairing', 'rotation')),
     state TEXT NOT NULL CHECK (state IN ('active', 'grace', 'revoked')),
     client_id TEXT,
     single_use INTEGER NOT NULL CHECK (single_use IN (0, 1)),
     created_at INTEGER NOT NULL,
     last_used_at INTEGER,
     expires_at INTEGER,
     unbound_until INTEGER,
     state_since INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX secret_by_credential ON secret (credential_id);
   CREATE TABLE rotation (
     credential_id TEXT PRIMARY KEY,
     started_at INTEGER NOT NULL,
     grace_ms INTEGER,
     grace_ends_at INTEGER,
     ended_at INTEGER
   ) STRICT;
   CREATE TABLE client (
     id TEXT PRIMARY KEY,
     credential_id TEXT NOT NULL,
     record TEXT NOT NULL
   ) STRICT;`,
  `CREATE TABLE audit (
     seq INTEGER PRIMARY KEY,
     timestamp TEXT NOT NULL,
     username TEXT NOT NULL,
     remote_ip TEXT NOT NULL,
     application TEXT NOT NULL,
     action TEXT NOT NULL,
     affected_id TEXT NOT NULL,
     client_id TEXT NOT NULL,
     client_hostname TEXT NOT NULL,
     request TEXT NOT NULL,
     response TEXT NOT NULL,
     hash TEXT NOT NULL
   ) STRICT;`,
  `CREATE TABLE deleted_credential (
     id TEXT PRIMARY KEY,
     deleted_at INTEGER NOT NULL
   ) STRICT;`,
  `CREATE TABLE move (
     credential_id TEXT NOT NULL,
     client_id TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('pending', 'offered', 'stored', 'straggler', 'done')),
     reason TEXT NOT NULL,
     secret_id TEXT,
     changed_at INTEGER NOT NULL,
     PRIMARY KEY (credential_id, client_id)
   ) STRICT;`,
  // The index of the audit log has a file of its own since.
  `DROP TABLE audit;
   CREATE TABLE counter (commits INTEGER NOT NULL) STRICT;
   INSERT INTO counter (commits) VALUES (0);`,
];

/** The tables of `rport.sqlite`. */
export const RECORDS: DatabaseSchema = { migrations: MIGRATIONS, isRecord: true };
