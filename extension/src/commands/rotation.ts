import type { EndpointOutput } from "@rport/protocol/http";
import type { Credential } from "@rport/protocol/model";
import type { Refusal } from "@rport/protocol/refusal";
import { type QuickPickItem, window } from "vscode";
import { blastLines, isHarmless, namedClients } from "../model/blast.ts";
import { dateAndTime } from "../model/relativeTime.ts";
import { isStillTrying } from "../model/rows/refusalRow.ts";
import type { CredentialTarget } from "../servers/entities.ts";
import { count, plainText } from "../support/text.ts";
import { confirm, serversOf } from "./confirm.ts";
import { actAndTell, type OutcomeDeps } from "./outcomes.ts";
import type { Handlers } from "./registry.ts";
import { NOUNS } from "./targets/nouns.ts";
import type { Targets } from "./targets/targets.ts";

const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;

interface Grace extends QuickPickItem {
  /** Undefined: until every client has moved. */
  readonly seconds: number | undefined;
}

type Plan = EndpointOutput<"rotateCredential">;

/** What the commands on rotations need. */
export interface RotationCommandsDeps extends OutcomeDeps {
  readonly targets: Targets;
  /** Shows a credential with what is below it. */
  readonly reveal: (target: CredentialTarget) => Promise<void>;
}

/** Commands that a rotation is the object of. */
export type RotationHandlers = Pick<
  Handlers,
  "rotateCredential" | "finishRotation" | "cancelRotation"
>;

/** Rotating, and ending a rotation either way. */
export function rotationHandlers(deps: RotationCommandsDeps): RotationHandlers {
  const { targets } = deps;
  const isRotating = ({ rotation }: Credential) => rotation !== null;
  const rotating = (title: string) => {
    return { title, noun: NOUNS.rotatingCredential, fits: isRotating };
  };
  return {
    async rotateCredential(input) {
      const asked = { title: "Rotate which credential?", noun: NOUNS.credential };
      const target = await targets.credential(input, asked);
      if (target !== undefined) await rotateCredential(target, deps);
    },
    async finishRotation(input) {
      const target = await targets.credential(input, rotating("Finish which rotation?"));
      if (target !== undefined) await finishRotation(target, deps);
    },
    async cancelRotation(input) {
      const target = await targets.credential(input, rotating("Cancel which rotation?"));
      if (target !== undefined) await cancelRotation(target);
    },
  };
}

/** Gives every client of a credential a new secret of its own, after saying whom that may cost. */
export async function rotateCredential(
  target: CredentialTarget,
  { reveal, now }: Pick<RotationCommandsDeps, "reveal" | "now">,
): Promise<void> {
  const { server, credential } = target;
  const params = { authId: credential.id };
  // without a grace, so that it tells of everything that may be lost
  const plan = await server.api.call("rotateCredential", {
    params,
    body: { grace_seconds: 0 },
    query: { dry_run: "true" },
  });
  const grace = await window.showQuickPick(graces(plan), {
    title: `Rotate ${plainText(credential.id)} on ${plainText(server.name)}`,
    placeHolder: "How long does the old secret stay valid for clients that have not moved yet?",
  });
  if (grace === undefined) return;
  const answer = await confirm({
    question: `Rotate ${credential.id} on ${server.name}?`,
    lines: rotationLines(plan, grace, { isUnderWay: credential.rotation !== null, nowMs: now() }),
    button: grace.seconds === 0 ? "Rotate Now" : "Rotate",
    isHarmless: isWithoutLoss(plan, grace),
  });
  if (answer !== "act") return;
  const body = { grace_seconds: grace.seconds ?? null };
  await server.api.call("rotateCredential", { params, body });
  await reveal(target);
}

/** How the clients of a credential would come through a rotation. */
function standingsOf({ clients }: Plan) {
  const isMovable = ({ state }: Plan["clients"][number]) => state !== "straggler";
  return {
    moved: clients.filter((client) => client.connected && isMovable(client)),
    away: clients.filter((client) => !client.connected && isMovable(client)),
    stuck: clients.filter((client) => !isMovable(client)),
  };
}

function graces(plan: Plan): readonly Grace[] {
  const { away, stuck } = standingsOf(plan);
  const lost = away.length + stuck.length;
  const warning =
    lost === 0
      ? "no client is lost"
      : `$(warning) ${count(lost, "client")} must be installed again`;
  return [
    { label: "24 hours", description: "default", seconds: DAY_S },
    { label: "Now", description: `connected clients move first; ${warning}`, seconds: 0 },
    { label: "1 hour", seconds: HOUR_S },
    { label: "7 days", seconds: 7 * DAY_S },
    { label: "14 days", seconds: 14 * DAY_S },
    { label: "30 days", seconds: 30 * DAY_S },
    {
      label: "Until every client has moved",
      description: "the old secret stays valid for those that are away",
      seconds: undefined,
    },
  ];
}

/** Whether every client keeps its way in, and nothing that is open ends. */
function isWithoutLoss(plan: Plan, { seconds }: Grace): boolean {
  const { away, stuck } = standingsOf(plan);
  const isAtOnce = seconds === 0 && plan.pairings > 0;
  return away.length + stuck.length === 0 && !isAtOnce;
}

interface Circumstances {
  readonly isUnderWay: boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Until when the secret that is replaced lets somebody in. */
function oldSecretLine(seconds: number | undefined, nowMs: number): string {
  if (seconds === undefined) return "The old secret works until every client has moved.";
  if (seconds === 0) return "The old secret ends as soon as the connected clients have moved.";
  return `The old secret works until ${dateAndTime(nowMs + seconds * 1_000)}.`;
}

function rotationLines(
  plan: Plan,
  { label, seconds }: Grace,
  { isUnderWay, nowMs }: Circumstances,
): readonly string[] {
  const { moved, away, stuck } = standingsOf(plan);
  const within = `within ${label}`;
  return [
    plan.clients.length === 0 ? "" : oldSecretLine(seconds, nowMs),
    moved.length === 0
      ? ""
      : `Given a new secret over their live connection, without a break: ${namedClients(moved)}.`,
    away.length === 0 ? "" : `Offline: ${namedClients(away)}. ${awayText(seconds, within)}`,
    stuck.length === 0
      ? ""
      : `Cannot be moved by the server: ${namedClients(stuck)}. ${stuckText(seconds, within)}`,
    seconds !== 0 || plan.pairings === 0
      ? ""
      : `${count(plan.pairings, "open pairing")} will be revoked.`,
    plan.clients.length === 0 ? "No client uses it yet." : "",
    isUnderWay ? "The rotation that is under way begins anew." : "",
  ];
}

function awayText(seconds: number | undefined, within: string): string {
  if (seconds === undefined) return "Moved when they are back.";
  return seconds === 0
    ? "They cannot come back: they must be installed again."
    : `Moved if they are back ${within}; later they must be installed again.`;
}

function stuckText(seconds: number | undefined, within: string): string {
  if (seconds === undefined) return "The rotation waits until they are installed again.";
  return seconds === 0
    ? "They are cut off as soon as the others have moved, and must be installed again."
    : `Install them again ${within}, or they are cut off.`;
}

async function finishRotation(
  { server, credential }: CredentialTarget,
  deps: OutcomeDeps,
): Promise<void> {
  const params = { authId: credential.id };
  const hit = await server.api.call("finishRotation", { params, query: { dry_run: "true" } });
  const answer = await confirm({
    question: `End the old secrets of ${credential.id} on ${server.name} now?`,
    lines: [
      ...(isHarmless(hit) ? ["No client is hit: all have moved."] : blastLines(hit)),
      "Clients that have moved stay connected. Those that are hit must be installed again.",
    ],
    button: "End Old Secrets",
  });
  if (answer !== "act") return;
  const deed = {
    title: `The old secrets of ${credential.id} have ended`,
    isMeant: (refusal: Refusal) =>
      refusal.auth_id === credential.id &&
      (isStillTrying(refusal) || refusal.reason === "wrong-secret"),
    act: () => server.api.call("finishRotation", { params }),
  };
  await actAndTell(server, deed, deps);
}

async function cancelRotation(target: CredentialTarget): Promise<void> {
  const { server, credential } = target;
  const { rotation, id } = credential;
  if (rotation === null) return;
  const left = rotation.total - rotation.moved;
  const answer = await confirm({
    question: `Cancel the rotation of ${id} on ${serversOf([target])}?`,
    lines: [
      rotation.moved === 0
        ? ""
        : `${count(rotation.moved, "client has moved and keeps", "clients have moved and keep")} the new secret.`,
      left === 0
        ? ""
        : `${count(left, "client stays", "clients stay")} on the old secret, which is valid without an end again.`,
      "If the old secret may have leaked, finish the rotation instead.",
    ],
    button: "Cancel Rotation",
    keep: "Go On Rotating",
  });
  if (answer !== "act") return;
  await server.api.call("cancelRotation", { params: { authId: id } });
}
