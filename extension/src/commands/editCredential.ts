import type { EndpointCall } from "@rport/protocol/http";
import type { Credential } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { type QuickPickItem, window } from "vscode";
import { JOIN_RATE_PROMPT, joinRate, USUAL_RATE } from "../model/joinLimit.ts";
import { until } from "../model/relativeTime.ts";
import type { CredentialTarget } from "../servers/entities.ts";
import { plainText } from "../support/text.ts";
import { parseCount, parseEnd, parseNetworks, parseTunnels, type Typed } from "./limitInput.ts";
import type { Handlers } from "./registry.ts";
import { NOUNS } from "./targets/nouns.ts";
import type { Targets } from "./targets/targets.ts";

const LABEL_MAX = 200;

const END = t({ message: "End", args: [], comment: "when a credential expires, as a noun" });

type Change = NonNullable<EndpointCall<"updateCredential">["body"]>;

/** What changing credentials needs. */
export interface EditDeps {
  readonly targets: Targets;
}

interface Field extends QuickPickItem {
  /** Asks for another value; undefined: nothing is to change. */
  readonly ask: () => Promise<Change | undefined>;
}

/** Changing what is written down about a credential, one thing after the other. */
export function editHandlers({ targets }: EditDeps): Pick<Handlers, "editCredential"> {
  return {
    async editCredential(input) {
      const asked = { title: t("Edit which credential?"), noun: NOUNS.credential };
      const target = await targets.credential(input, asked);
      if (target !== undefined) await editCredential(target);
    },
  };
}

async function editCredential({ server, credential: given }: CredentialTarget): Promise<void> {
  let credential = given;
  for (;;) {
    const picked = await window.showQuickPick(fieldsOf(credential, server.time.nowMs), {
      title: t("Edit {0} on {1}", plainText(credential.id), plainText(server.name)),
      placeHolder: t(
        "What is to change? Limits count from the next sign-in; nobody is disconnected.",
      ),
    });
    if (picked === undefined) return;
    const body = await picked.ask();
    if (body === undefined) continue;
    const params = { authId: credential.id };
    credential = await server.api.call("updateCredential", { params, body });
  }
}

function fieldsOf(credential: Credential, nowMs: number): readonly Field[] {
  const { label, limits } = credential;
  return [
    {
      label: t("Label"),
      description: plainText(label) || t("none"),
      ask: () => askText(label, { title: t("Label"), prompt: t("For people to read") }, parseLabel),
    },
    {
      label: t("Kind"),
      description: KINDS[credential.kind],
      ask: () => askKind(),
    },
    ...limitFields(limits, nowMs),
    joinField(credential),
    tunnelField(limits.agent_tunnels),
    {
      label: t("New clients"),
      description: limits.approval ? WAIT : COME,
      ask: () => askApproval(),
    },
  ];
}

function limitFields(limits: Credential["limits"], nowMs: number): readonly Field[] {
  const { max_clients: clients, expires_at: end, cidrs } = limits;
  return [
    {
      label: t("Clients"),
      description: clients === null ? t("any number") : t("at most {0}", clients),
      ask: () =>
        askText(
          String(clients ?? ""),
          { title: t("Most Clients"), prompt: t("Nothing: any number") },
          typed(
            (text: string) => parseCount(text, t("any number")),
            limit((value) => ({ max_clients: value })),
          ),
        ),
    },
    {
      label: END,
      description: end === null ? t("never") : until(end, nowMs),
      ask: () =>
        askText(
          end === null ? "" : localText(end),
          {
            title: END,
            prompt: t("A date such as 2030-01-31 or 2030-01-31 14:00; nothing: never"),
          },
          typed(
            (text: string) => parseEnd(text, nowMs),
            limit((value) => ({ expires_at: value })),
          ),
        ),
    },
    {
      label: t("Addresses"),
      description: cidrs.length === 0 ? t("from anywhere") : t("only from {0}", cidrs.join(", ")),
      ask: () =>
        askText(
          cidrs.join(", "),
          {
            title: t("Addresses"),
            prompt: t("Networks such as 192.0.2.0/24; nothing: from anywhere"),
          },
          typed(
            parseNetworks,
            limit((value) => ({ cidrs: value })),
          ),
        ),
    },
  ];
}

function joinField(credential: Credential): Field {
  const { joins_per_minute: joins } = credential.limits;
  return {
    label: t("Joins a minute"),
    description: joinRate(credential),
    ask: () =>
      askText(
        String(joins ?? ""),
        { title: t("Joins a Minute"), prompt: JOIN_RATE_PROMPT },
        typed(
          (text: string) => parseCount(text, USUAL_RATE),
          limit((value) => ({ joins_per_minute: value })),
        ),
      ),
  };
}

function tunnelField(tunnels: number | null): Field {
  const most = tunnels === 0 ? t("none") : t("at most {0}", tunnels ?? "");
  return {
    label: t("Tunnels agents ask for"),
    description: tunnels === null ? t("as many as usual") : most,
    ask: () =>
      askText(
        String(tunnels ?? ""),
        {
          title: t("Tunnels Agents Ask For"),
          prompt: t("Those in the agents' own configuration; 0: none; nothing: as many as usual"),
        },
        typed(
          parseTunnels,
          limit((value) => ({ agent_tunnels: value })),
        ),
      ),
  };
}

function limit<T>(change: (value: T) => Change["limits"]) {
  return (value: T): Change => ({ limits: change(value) });
}

/** Turns what was typed into a change, or into the reason why it is none. */
function typed<T>(parse: (text: string) => Typed<T>, change: (value: T) => Change) {
  return (text: string): Typed<Change> => {
    const parsed = parse(text);
    return parsed.why === undefined ? { value: change(parsed.value) } : parsed;
  };
}

function parseLabel(text: string): Typed<Change> {
  return text.length <= LABEL_MAX
    ? { value: { label: text.trim() } }
    : { why: t("A label has at most {0} characters.", LABEL_MAX) };
}

async function askText(
  value: string,
  question: { readonly title: string; readonly prompt: string },
  parse: (text: string) => Typed<Change>,
): Promise<Change | undefined> {
  const text = await window.showInputBox({
    ...question,
    value,
    validateInput: (typedText) => parse(typedText).why,
  });
  return text === undefined ? undefined : parse(text).value;
}

const KINDS: Readonly<Record<Credential["kind"], string>> = {
  fleet: t("for many hosts"),
  host: t("for one host"),
};

async function askKind(): Promise<Change | undefined> {
  const kinds = ["fleet", "host"] as const;
  const items = kinds.map((kind) => ({ label: KINDS[kind], value: kind }));
  const picked = await window.showQuickPick(items, { title: t("Kind") });
  return picked === undefined ? undefined : { kind: picked.value };
}

const COME = t("come in by themselves");
const WAIT = t("wait until somebody approves them");

async function askApproval(): Promise<Change | undefined> {
  const items = [
    { label: COME, approval: false },
    { label: WAIT, approval: true },
  ];
  const picked = await window.showQuickPick(items, { title: t("New Clients") });
  return picked === undefined ? undefined : { limits: { approval: picked.approval } };
}

/** A time as it may be typed, in this computer's time zone. */
function localText(time: string): string {
  const at = new Date(time);
  const two = (n: number) => String(n).padStart(2, "0");
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
