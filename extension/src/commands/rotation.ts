import type { Credential } from "@rport/protocol/model";
import type { Refusal } from "@rport/protocol/refusal";
import { t } from "@vscode/l10n";
import { ThemeIcon, window } from "vscode";
import { blastLines, isHarmless } from "../model/blast.ts";
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
import {
  DAY_HOURS,
  type Grace,
  graceOf,
  isWithoutLoss,
  type Plan,
  rotationLines,
  standingsOf,
} from "./rotationPlan.ts";
import { NOUNS } from "./targets/nouns.ts";
import type { Targets } from "./targets/targets.ts";

/** How long the old secret may stay valid, beside what the settings say. */
const USUAL_HOURS = [24, 1, 7 * DAY_HOURS, 14 * DAY_HOURS, 30 * DAY_HOURS];

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

/** What is offered to choose from, the person's own choice first. */
function graces(plan: Plan): readonly Grace[] {
  const { away, stuck } = standingsOf(plan);
  const lost = away.length + stuck.length;
  const warning =
    lost === 0
      ? t("no client is lost")
      : plural(
          lost,
          t("{0} client must be installed again", lost),
          t("{0} clients must be installed again", lost),
        );
  // an icon in the text would be spoken by its name
  const icon = lost === 0 ? {} : { iconPath: new ThemeIcon("warning") };
  const { graceHours } = personalSettings;
  const others = USUAL_HOURS.filter((hours) => hours !== graceHours);
  return [
    { ...graceOf(graceHours), description: t("default") },
    {
      ...icon,
      label: t("Now"),
      description: t("connected clients move first; {0}", warning),
      seconds: 0,
    },
    ...others.map(graceOf),
    {
      label: t("Until every client has moved"),
      description: t("the old secret stays valid for those that are away"),
      seconds: undefined,
    },
  ];
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
