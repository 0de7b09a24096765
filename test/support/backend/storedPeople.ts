import { clientIdSchema } from "@rport/protocol/ids";
import { userNameSchema } from "@rport/protocol/people/user";
import type { Adapter } from "lowdb";
import { ClientGroups } from "../../../backend/src/access/clientGroups.ts";
import { Bursts } from "../../../backend/src/audit/bursts.ts";
import { SignIns } from "../../../backend/src/audit/signIns.ts";
import { Limits } from "../../../backend/src/limits/limits.ts";
import { openAccounts } from "../../../backend/src/opening/openAccounts.ts";
import { Document } from "../../../backend/src/store/document/document.ts";
import type { DocumentData } from "../../../backend/src/store/document/documentData.ts";
import { DocumentFile } from "../../../backend/src/store/document/documentFile.ts";
import { EmbeddedEdits } from "../../../backend/src/store/embeddedEdits.ts";
import { openStore, type Store } from "../../../backend/src/store/store.ts";
import type { Accounts } from "../../../backend/src/users/accounts.ts";
import { acceptInvitation } from "../../../backend/src/users/administration/acceptance.ts";
import { Endings } from "../../../backend/src/users/administration/endings.ts";
import { UserAdministration } from "../../../backend/src/users/administration/userAdministration.ts";
import { Invitations } from "../../../backend/src/users/invitations/invitations.ts";
import { makeToken } from "../../../backend/src/users/signIn/newToken.ts";
import { FakeClock } from "../clock.ts";
import { FaultyDisk } from "../faults/faultyDisk.ts";
import { WriteGate } from "../faults/writeGate.ts";
import { testLog } from "../log.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { noAudit } from "./noAudit.ts";
import { clientRecord } from "./records.ts";
import { TestClients } from "./sessions.ts";

/** The one host that is on record; it never comes. */
export const HOST = clientIdSchema.parse("web-1");

/** What one process makes of the people on a disk. */
export interface PeopleProcess {
  readonly accounts: Accounts;
  readonly administration: UserAdministration;
  readonly invitations: Invitations;
  readonly access: ClientGroups;
  /** The groups of users that the host's own list names. */
  readonly hostGroups: () => readonly string[];
  /** Who knows the code becomes a user. */
  accept(code: string, username: string, password: string): Promise<unknown>;
}

/** People on a real store, and the disk below it. */
export interface StoredPeopleFixture extends AsyncDisposable {
  readonly clock: FakeClock;
  /** What the first process writes through. */
  readonly disk: FaultyDisk;
  readonly first: PeopleProcess;
  /** A new process, which knows only what is on the disk. */
  restart(): Promise<PeopleProcess>;
}

/** Opens people in a directory of their own: nobody yet, and one host. */
export async function openPeople(): Promise<StoredPeopleFixture> {
  const directory = await tempDirectory();
  const clock = new FakeClock();
  const store = await openStore({ directory: directory.path, clock, log: testLog().log });
  await store.edits.commit([{ kind: "seen", record: clientRecord({ id: HOST }) }]);
  const disk = new FaultyDisk(store);
  return {
    clock,
    disk,
    first: await startProcess(store, disk, clock),
    restart: () => startProcess(store, new FaultyDisk(store), clock),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** People whose document is written only when the test says so; a restart reads the file that there is. */
export interface GatedPeopleFixture extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly first: PeopleProcess;
  readonly gate: WriteGate;
  restart(): Promise<PeopleProcess>;
}

/** As `openPeople`, with a gate behind the document's file. */
export async function openGatedPeople(): Promise<GatedPeopleFixture> {
  const directory = await tempDirectory();
  const clock = new FakeClock();
  const { log } = testLog();
  const store = await openStore({ directory: directory.path, clock, log });
  const file = new DocumentFile(store.paths.document, store.requireHeld);
  const gate = new WriteGate(file);
  const processOn = async (adapter: Adapter<DocumentData>) => {
    const document = await Document.open(adapter, log);
    return startProcess(store, { document, database: store.database }, clock);
  };
  return {
    clock,
    gate,
    first: await processOn(gate),
    restart: () => processOn(file),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** What the process would close at its end is left open: it is killed, and its clock stands still. */
async function startProcess(
  { secretRows, clientRows, paths, identity }: Store,
  { document, database }: Pick<FaultyDisk, "document" | "database">,
  clock: FakeClock,
): Promise<PeopleProcess> {
  const { log } = testLog();
  const edits = new EmbeddedEdits({ document, database, secretRows, clientRows, clock, log });
  const clients = new TestClients();
  const touch = () => {};
  const limits = new Limits({ values: {}, clock, log });
  await clients.open({ store: edits, clock, log, touch, limits });
  const bursts = new Bursts({ audit: noAudit, clock });
  const auditing = { signIns: new SignIns({ audit: noAudit, bursts, limits, clock }) };
  const onDisk = { edits, paths, identity };
  const deps = { store: onDisk, auditing, limits, touch };
  const accounts = await openAccounts({ clock, log }, deps, new AsyncDisposableStack());
  const invitations = new Invitations({ clock, limits });
  const { registry } = clients;
  return {
    accounts,
    invitations,
    ...administrationOf(accounts, invitations, clock),
    access: new ClientGroups({
      store: edits,
      people: accounts.ledger,
      clients: registry,
      settled: () => Promise.resolve(),
    }),
    hostGroups: () => registry.record(HOST)?.allowed_user_groups ?? [],
  };
}

function administrationOf(
  { ledger, edits, users, sockets, passwords, withdrawals }: Accounts,
  invitations: Invitations,
  clock: FakeClock,
): Pick<PeopleProcess, "administration" | "accept"> {
  const makePassword = (text: string) => passwords.derive(text, "administration");
  const pairings = { openBy: () => [] };
  const pairingService = { revokeBy: () => Promise.resolve(0) };
  const ends = { users, sockets, pairings, pairingService, invitations, withdrawals };
  const endings = new Endings(ends);
  const acceptance = { invitations, ledger, edits, makePassword, makeToken, clock };
  return {
    administration: new UserAdministration({ ledger, edits, endings, makePassword, clock }),
    accept: (code, username, password) =>
      acceptInvitation(
        { code, username: userNameSchema.parse(username), password, token_name: "editor" },
        { address: "192.0.2.9", isShared: false },
        acceptance,
      ),
  };
}
