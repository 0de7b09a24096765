import type { EndpointOutput } from "@rport/protocol/http";
import type { AuthId } from "@rport/protocol/ids";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import type { Server } from "../../servers/server.ts";
import { describeError } from "../../support/describeError.ts";
import { plural } from "../../support/plural.ts";
import { plainText } from "../../support/text.ts";
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
  {
    label: t("24 hours"),
    description: t("default"),
    end: t("The old secrets end after 24 hours."),
    seconds: 86_400,
  },
  {
    label: t("1 hour"),
    description: "",
    end: t("The old secrets end after 1 hour."),
    seconds: 3_600,
  },
  {
    label: t("7 days"),
    description: "",
    end: t("The old secrets end after 7 days."),
    seconds: 604_800,
  },
  {
    label: t("Now"),
    description: t("clients that are away must be installed again"),
    end: t("The old secrets end as soon as connected clients have moved."),
    seconds: 0,
  },
] as const;

/** Rotates every credential of which a user was shown, or typed, a secret that still works. */
export async function rotateKnown(target: UserTarget): Promise<void> {
  const { server, user } = target;
  const name = nameOfUser(target);
  const known = await server.api.call("listKnownSecrets", { params: { userName: user.username } });
  if (known.length === 0) {
    void window.showInformationMessage(t("{0} knows no secret that still works.", name));
    return;
  }
  const counts = new Map<string, number>();
  for (const { auth_id: id } of known) counts.set(id, (counts.get(id) ?? 0) + 1);
  const grace = await window.showQuickPick(GRACES, {
    title: plural(
      counts.size,
      t("Rotate What {0} Knows: {1} credential", name, counts.size),
      t("Rotate What {0} Knows: {1} credentials", name, counts.size),
    ),
    placeHolder: t("How long do the old secrets stay valid for clients that have not moved yet?"),
  });
  if (grace === undefined) return;
  const planned = await Promise.all(
    [...counts].map(async ([id, secrets]) => await plan(server, id as AuthId, secrets)),
  );
  const answer = await confirm({
    question: plural(
      planned.length,
      t("Rotate {0} credential that {1} could know?", planned.length, name),
      t("Rotate {0} credentials that {1} could know?", planned.length, name),
    ),
    lines: [...planned.map(planLine), grace.end],
    button: t("Rotate All"),
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
    plural(known, t("{0} secret known", known), t("{0} secrets known", known)),
    plural(clients.length, t("{0} client", clients.length), t("{0} clients", clients.length)),
    away === 0 ? "" : t("{0} offline", away),
    stuck === 0 ? "" : t("{0} to be installed again", stuck),
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
  const done = planned.length - failed.length;
  if (failed.length === 0) {
    void window.showInformationMessage(
      plural(
        done,
        t("{0} credential rotates now. The view shows who has moved.", done),
        t("{0} credentials rotate now. The view shows who has moved.", done),
      ),
    );
    return;
  }
  const others = failed.join(" ");
  void window.showErrorMessage(
    plural(
      done,
      t("{0} credential rotates now, but not these: {1}", done, others),
      t("{0} credentials rotate now, but not these: {1}", done, others),
    ),
  );
}
