import { whyNotAuthId } from "@rport/protocol/ids";
import { env, window } from "vscode";
import { displayName } from "../model/arrange.ts";
import type { Server } from "../servers/server.ts";
import { count, nameSome } from "../support/text.ts";
import { copyLines } from "./clients.ts";
import { deleteCredentials } from "./deleteCredentials.ts";
import type { Handlers } from "./registry.ts";
import type { CredentialTarget, Targets } from "./target.ts";

/** Names in a message; more are counted. */
const NAMES_MAX = 5;

/** What the commands on credentials need. */
export interface CredentialCommandsDependencies {
  readonly targets: Targets;
  readonly install: (target: CredentialTarget) => Promise<void>;
}

/** Commands that a credential or a pairing is the object of. */
export type CredentialHandlers = Pick<
  Handlers,
  "createCredential" | "rotateCredential" | "deleteCredential" | "copyAuthId" | "revokePairing"
>;

/** Creating, rotating and deleting credentials. */
export function credentialHandlers(
  dependencies: CredentialCommandsDependencies,
): CredentialHandlers {
  const { targets } = dependencies;
  return {
    async createCredential(input) {
      const isConnected = ({ state }: Server) => state.kind === "connected";
      const server = await targets.server(input, "Create it on which server?", isConnected);
      if (server !== undefined) await createCredential(server, dependencies);
    },
    async rotateCredential(input) {
      const [target] = (await targets.credentials(input, "Rotate which credential?")) ?? [];
      if (target !== undefined) await rotateCredential(target);
    },
    async deleteCredential(input) {
      const chosen = await targets.credentials(input, "Delete which credential?");
      if (chosen === undefined) return;
      const rotateInstead = await deleteCredentials(chosen);
      if (rotateInstead !== undefined) await rotateCredential(rotateInstead);
    },
    async copyAuthId(input) {
      const chosen = await targets.credentials(input, "Copy which authentication ID?");
      if (chosen !== undefined) await copyLines(chosen.map(({ credential }) => credential.id));
    },
    async revokePairing(input) {
      const target = await targets.pairing(input, "Revoke which pairing code?");
      if (target === undefined) return;
      const params = { pairingId: target.pairing.id };
      await target.server.api.call("revokePairing", { params });
    },
  };
}

function whyNotNewId(id: string, server: Server): string | undefined {
  if (id === "") return undefined;
  if (server.mirror.credentials.has(id)) return `${server.name} has a credential of this name.`;
  return whyNotAuthId(id);
}

async function createCredential(
  server: Server,
  { install }: CredentialCommandsDependencies,
): Promise<void> {
  const id = await window.showInputBox({
    title: `Create Credential on ${server.name}`,
    prompt: "Authentication ID, such as the name of a laptop or a team",
    placeHolder: "web-fleet",
    validateInput: (value) => whyNotNewId(value, server),
  });
  if (id === undefined || id === "") return;
  const created = await server.api.call("createCredential", { body: { id } });
  // its clients are installed with secrets of their own, so this one is rarely needed
  const installClient = "Install Client";
  const copyPassword = "Copy Password";
  void window
    .showInformationMessage(
      `Credential ${id} was created. Its password is not shown again.`,
      installClient,
      copyPassword,
    )
    .then(async (chosen) => {
      if (chosen === copyPassword) await env.clipboard.writeText(created.password);
      const credential = server.mirror.credentials.get(id);
      if (chosen === installClient && credential !== undefined) {
        await install({ server, credential });
      }
    });
}

interface Grace {
  readonly label: string;
  readonly description: string;
  /** Null: until every client has moved. */
  readonly seconds: number | null;
}

function graces(offline: number): readonly Grace[] {
  const lost =
    offline === 0
      ? "connected clients move first, none is cut off"
      : `connected clients move first; ${count(offline, "offline client")} must be installed again`;
  return [
    { label: "24 hours", description: "default", seconds: 86_400 },
    { label: "1 hour", description: "", seconds: 3_600 },
    { label: "Now", description: lost, seconds: 0 },
    {
      label: "Until every client has moved",
      description: "the old secret stays valid for those that are away",
      seconds: null,
    },
  ];
}

/** Gives every client of a credential a new secret of its own, without disconnecting any. */
async function rotateCredential({ server, credential }: CredentialTarget): Promise<void> {
  const offline = credential.clients_total - credential.clients_connected;
  const grace = await window.showQuickPick(graces(offline), {
    title: `Rotate ${credential.id} on ${server.name}`,
    placeHolder: "How long does the old secret stay valid for clients that have not moved yet?",
  });
  if (grace === undefined) return;
  const result = await server.api.call("rotateCredential", {
    params: { authId: credential.id },
    body: { grace_seconds: grace.seconds },
  });
  if (result.unmovable.length === 0) return;
  const names = result.unmovable.map((id) => {
    const client = server.mirror.clients.get(id);
    return client === undefined ? id : displayName(client);
  });
  void window.showWarningMessage(
    `${nameSome(names, NAMES_MAX)} cannot be given a new secret by the server. Install ${names.length === 1 ? "it" : "them"} again before the old secret ends.`,
  );
}
