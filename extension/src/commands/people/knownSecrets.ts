import type { EndpointOutput } from "@rport/protocol/http";
import type { AuthId } from "@rport/protocol/ids";
import { window } from "vscode";
import type { Server } from "../../servers/server.ts";
import { describeError } from "../../support/describeError.ts";
import { count, plainText } from "../../support/text.ts";
import { confirm } from "../confirm.ts";
import { nameOfUser, type UserTarget } from "./userTargets.ts";

type Plan = EndpointOutput<"rotateCredential">;

/** What rotating one credential would do. */
interface Planned {
  readonly authId: AuthId;
  /** How many of its secrets the user knows. */
  readonly known: number;
  readonly plan: Plan;
}

const GRACES = [
  { label: "24 hours", description: "default", seconds: 86_400 },
  { label: "1 hour", description: "", seconds: 3_600 },
  { label: "7 days", description: "", seconds: 604_800 },
  { label: "Now", description: "clients that are away must be installed again", seconds: 0 },
] as const;

/** Rotates every credential of which a user was shown, or typed, a secret that still works. */
export async function rotateKnown(target: UserTarget): Promise<void> {
  const { server, user } = target;
  const name = nameOfUser(target);
  const known = await server.api.call("listKnownSecrets", { params: { userName: user.username } });
  if (known.length === 0) {
    void window.showInformationMessage(`${name} knows no secret that still works.`);
    return;
  }
  const counts = new Map<string, number>();
  for (const { auth_id: id } of known) counts.set(id, (counts.get(id) ?? 0) + 1);
  const grace = await window.showQuickPick(GRACES, {
    title: `Rotate What ${name} Knows: ${count(counts.size, "credential")}`,
    placeHolder: "How long do the old secrets stay valid for clients that have not moved yet?",
  });
  if (grace === undefined) return;
  const planned = await Promise.all(
    [...counts].map(async ([id, secrets]) => await plan(server, id as AuthId, secrets)),
  );
  const answer = await confirm({
    question: `Rotate ${count(planned.length, "credential")} that ${name} could know?`,
    lines: [
      ...planned.map(planLine),
      grace.seconds === 0
        ? "The old secrets end as soon as connected clients have moved."
        : `The old secrets end after ${grace.label}.`,
    ],
    button: "Rotate All",
  });
  if (answer === "act") await rotateAll(server, planned, grace.seconds);
}

async function plan(server: Server, authId: AuthId, known: number): Promise<Planned> {
  const answer = await server.api.call("rotateCredential", {
    params: { authId },
    body: { grace_seconds: 0 },
    query: { dry_run: "true" },
  });
  return { authId, known, plan: answer };
}

function planLine({ authId, known, plan: { clients } }: Planned): string {
  const stuck = clients.filter(({ state }) => state === "straggler").length;
  const away = clients.filter(({ connected, state }) => !connected && state !== "straggler").length;
  const parts = [
    `${count(known, "secret")} known`,
    `${count(clients.length, "client")}`,
    away === 0 ? "" : `${away} offline`,
    stuck === 0 ? "" : `${stuck} to be installed again`,
  ].filter((part) => part !== "");
  return `${plainText(authId)}: ${parts.join(", ")}.`;
}

async function rotateAll(server: Server, planned: readonly Planned[], seconds: number) {
  const failed: string[] = [];
  for (const { authId } of planned) {
    try {
      const body = { grace_seconds: seconds };
      await server.api.call("rotateCredential", { params: { authId }, body });
    } catch (error) {
      failed.push(`${plainText(authId)}: ${describeError(error)}`);
    }
  }
  const done = count(planned.length - failed.length, "credential");
  if (failed.length === 0) {
    void window.showInformationMessage(`${done} rotate now. The view shows who has moved.`);
    return;
  }
  void window.showErrorMessage(`${done} rotate now, but not these: ${failed.join(" ")}`);
}
