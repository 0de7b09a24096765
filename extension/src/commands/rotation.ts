import type { EndpointOutput } from "@rport/protocol/http";
import type { Credential } from "@rport/protocol/model";
import type { Refusal } from "@rport/protocol/refusal";
import { t } from "@vscode/l10n";
import { type QuickPickItem, window } from "vscode";
import { blastLines, isHarmless, namedClients } from "../model/blast.ts";
import { dateAndTime } from "../model/relativeTime.ts";
import { isStillTrying } from "../model/rows/refusalRow.ts";
import { rotationOf } from "../model/rows/rotationRow.ts";
import type { CredentialTarget } from "../servers/entities.ts";
import { plural } from "../support/plural.ts";
import { plainText } from "../support/text.ts";
import { confirm, serversOf } from "./confirm.ts";
import { inTurn } from "./inTurn.ts";
import { actAndTell, type OutcomeDeps } from "./outcomes.ts";
import { personalSettings } from "./personalSettings.ts";
import type { Handlers } from "./registry.ts";
import { NOUNS } from "./targets/nouns.ts";
import type { Targets } from "./targets/targets.ts";

const HOUR_S = 3_600;
const DAY_HOURS = 24;
/** How long the old secret may stay valid, beside what the settings say. */
const USUAL_HOURS = [24, 1, 7 * DAY_HOURS, 14 * DAY_HOURS, 30 * DAY_HOURS];

/** How long the old secret stays valid, as it is offered. */
export interface Grace extends QuickPickItem {
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
      const asked = { title: t("Rotate which credential?"), noun: NOUNS.credential };
      const target = await targets.credential(input, asked);
      if (target !== undefined) await rotateCredential(target, deps);
    },
    async finishRotation(input) {
      const target = await targets.credential(input, rotating(t("Finish which rotation?")));
      if (target !== undefined) await finishRotation(target, deps);
    },
    async cancelRotation(input) {
      const target = await targets.credential(input, rotating(t("Cancel which rotation?")));
      if (target !== undefined) await cancelRotation(target);
    },
  };
}

/** Gives every client of a credential a new secret of its own, after saying whom that may cost. */
export async function rotateCredential(
  target: CredentialTarget,
  { reveal }: Pick<RotationCommandsDeps, "reveal">,
): Promise<void> {
  const { server, credential } = target;
  const params = { authId: credential.id };
  const plan = await planRotation(target);
  const grace = await window.showQuickPick(graces(plan), {
    title: t("Rotate {0} on {1}", plainText(credential.id), plainText(server.name)),
    placeHolder: t("How long does the old secret stay valid for clients that have not moved yet?"),
  });
  if (grace === undefined) return;
  await inTurn([target], {
    nameOf: () => credential.id,
    act: async () => {
      if (!(await wantsRotation(target, grace))) return;
      const body = { grace_seconds: grace.seconds ?? null };
      await server.api.call("rotateCredential", { params, body });
      await reveal(target);
    },
  });
}

/**
 * Asks whether to rotate, saying whom that hits; and again where somebody else has rotated the credential before the
 * answer came, because then it would hit others.
 */
async function wantsRotation(target: CredentialTarget, grace: Grace): Promise<boolean> {
  const { server } = target;
  const { id } = target.credential;
  const newest = () => server.mirror.maps.credentials.get(id) ?? target.credential;
  let question = t("Rotate {0} on {1}?", id, server.name);
  for (;;) {
    const asked = newest();
    const plan = await planRotation(target);
    const isUnderWay = asked.rotation !== null;
    const answer = await confirm({
      question,
      lines: rotationLines(plan, grace, { isUnderWay, nowMs: server.time.nowMs }),
      button: grace.seconds === 0 ? t("Rotate Now") : t("Rotate"),
      isHarmless: isWithoutLoss(plan, grace),
    });
    if (answer !== "act") return false;
    if (rotationOf(newest()) === rotationOf(asked)) return true;
    question = t("{0} on {1} was rotated meanwhile. Rotate it once more?", id, server.name);
  }
}

/** Whom a rotation would touch; without a grace, so that it tells of everything that may be lost. */
export function planRotation({ server, credential }: CredentialTarget): Promise<Plan> {
  return server.api.call("rotateCredential", {
    params: { authId: credential.id },
    body: { grace_seconds: 0 },
    query: { dry_run: "true" },
  });
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
      ? t("no client is lost")
      : `$(warning) ${plural(
          lost,
          t("{0} client must be installed again", lost),
          t("{0} clients must be installed again", lost),
        )}`;
  const { graceHours } = personalSettings;
  const others = USUAL_HOURS.filter((hours) => hours !== graceHours);
  return [
    { ...graceOf(graceHours), description: t("default") },
    { label: t("Now"), description: t("connected clients move first; {0}", warning), seconds: 0 },
    ...others.map(graceOf),
    {
      label: t("Until every client has moved"),
      description: t("the old secret stays valid for those that are away"),
      seconds: undefined,
    },
  ];
}

/** A grace of so many hours. */
export function graceOf(hours: number): Grace {
  const isWholeDays = hours > DAY_HOURS && hours % DAY_HOURS === 0;
  const days = hours / DAY_HOURS;
  const label = isWholeDays
    ? plural(days, t("{0} day", days), t("{0} days", days))
    : plural(hours, t("{0} hour", hours), t("{0} hours", hours));
  return { label, seconds: hours * HOUR_S };
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
  if (seconds === undefined) return t("The old secret works until every client has moved.");
  if (seconds === 0) return t("The old secret ends as soon as the connected clients have moved.");
  return t("The old secret works until {0}.", dateAndTime(nowMs + seconds * 1_000));
}

/** What a rotation would do to whom, a line each; some may be empty. */
export function rotationLines(
  plan: Plan,
  { label, seconds }: Grace,
  { isUnderWay, nowMs }: Circumstances,
): readonly string[] {
  const { moved, away, stuck } = standingsOf(plan);
  return [
    plan.clients.length === 0 ? "" : oldSecretLine(seconds, nowMs),
    moved.length === 0
      ? ""
      : t(
          "Given a new secret over their live connection, without a break: {0}.",
          namedClients(moved),
        ),
    away.length === 0
      ? ""
      : t("Offline: {0}. {1}", namedClients(away), awayText(away.length, seconds, label)),
    stuck.length === 0
      ? ""
      : t(
          "Cannot be moved by the server: {0}. {1}",
          namedClients(stuck),
          stuckText(stuck.length, seconds, label),
        ),
    seconds !== 0 || plan.pairings === 0
      ? ""
      : plural(
          plan.pairings,
          t("{0} open pairing will be revoked.", plan.pairings),
          t("{0} open pairings will be revoked.", plan.pairings),
        ),
    plan.clients.length === 0 ? t("No client uses it yet.") : "",
    isUnderWay ? t("The rotation that is under way begins anew.") : "",
  ];
}

/** What becomes of `n` clients that are offline. */
function awayText(n: number, seconds: number | undefined, grace: string): string {
  if (seconds === undefined) {
    return plural(n, t("Moved when it is back."), t("Moved when they are back."));
  }
  return seconds === 0
    ? plural(
        n,
        t("It cannot come back: it must be installed again."),
        t("They cannot come back: they must be installed again."),
      )
    : plural(
        n,
        t("Moved if it is back within {0}; later it must be installed again.", grace),
        t("Moved if they are back within {0}; later they must be installed again.", grace),
      );
}

/** What becomes of `n` clients that no server can hand a secret to. */
function stuckText(n: number, seconds: number | undefined, grace: string): string {
  if (seconds === undefined) {
    return plural(
      n,
      t("The rotation waits until it is installed again."),
      t("The rotation waits until they are installed again."),
    );
  }
  return seconds === 0
    ? plural(
        n,
        t("It is cut off as soon as the others have moved, and must be installed again."),
        t("They are cut off as soon as the others have moved, and must be installed again."),
      )
    : plural(
        n,
        t("Install it again within {0}, or it is cut off.", grace),
        t("Install them again within {0}, or they are cut off.", grace),
      );
}

async function finishRotation(
  { server, credential }: CredentialTarget,
  deps: OutcomeDeps,
): Promise<void> {
  const params = { authId: credential.id };
  const hit = await server.api.call("finishRotation", { params, query: { dry_run: "true" } });
  const answer = await confirm({
    question: t("End the old secrets of {0} on {1} now?", credential.id, server.name),
    lines: [
      ...(isHarmless(hit) ? [t("No client is hit: all have moved.")] : blastLines(hit)),
      t("Clients that have moved stay connected. Those that are hit must be installed again."),
    ],
    button: t("End Old Secrets"),
  });
  if (answer !== "act") return;
  const deed = {
    title: t("The old secrets of {0} have ended", credential.id),
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
    question: t("Cancel the rotation of {0} on {1}?", id, serversOf([target])),
    lines: [
      rotation.moved === 0
        ? ""
        : plural(
            rotation.moved,
            t("{0} client has moved and keeps the new secret.", rotation.moved),
            t("{0} clients have moved and keep the new secret.", rotation.moved),
          ),
      left === 0
        ? ""
        : plural(
            left,
            t("{0} client stays on the old secret, which is valid without an end again.", left),
            t("{0} clients stay on the old secret, which is valid without an end again.", left),
          ),
      t("If the old secret may have leaked, finish the rotation instead."),
    ],
    button: t("Cancel Rotation"),
    keep: t("Go On Rotating"),
  });
  if (answer !== "act") return;
  await server.api.call("cancelRotation", { params: { authId: id } });
}
