import type { Cure, FromSheet, SheetHost, SheetState } from "@rport/protocol/sheet";
import { type ButtonLook, button, element } from "./element.ts";
import { moment } from "./moment.ts";
import { hostStatus, onlyHost } from "./status.ts";
import type { WordKey, Words } from "./words.ts";

type Post = (message: FromSheet) => void;

const CURES: Readonly<Record<Cure, WordKey>> = {
  newId: "cureNewId",
  renew: "cureRenew",
  limits: "cureLimits",
  allow: "cureAllow",
};

const STEPS: Readonly<Record<SheetHost["steps"][number]["kind"], WordKey>> = {
  made: "stepMade",
  script_fetched: "stepScript",
  claimed: "stepClaimed",
  waiting: "stepWaiting",
  installed: "stepInstalled",
  connected: "stepConnected",
  refused: "stepRefused",
  failed: "stepFailed",
  expired: "stepExpired",
  revoked: "stepRevoked",
};

/** A button, and what it tells the extension. */
interface Act {
  readonly label: WordKey;
  readonly message: FromSheet;
  readonly kind?: ButtonLook["kind"];
}

function actsFor({ clientId, stage, cure }: SheetHost): readonly Act[] {
  if (stage === "approval") {
    return [
      { label: "approve", message: { type: "approve", clientId }, kind: "primary" },
      { label: "deny", message: { type: "deny", clientId } },
    ];
  }
  if (cure !== undefined) {
    return [{ label: CURES[cure], message: { type: "cure", clientId, cure }, kind: "primary" }];
  }
  const isOnRecord = stage === "connected" || stage === "offline" || stage === "hostRevoked";
  return isOnRecord ? [{ label: "showClient", message: { type: "showClient", clientId } }] : [];
}

/** What can be done about a host as it stands. */
export function hostButtons(host: SheetHost, words: Words, post: Post): HTMLButtonElement[] {
  return actsFor(host).map(({ label, message, kind }) => {
    const key = `${message.type}-${host.clientId}`;
    return button({ key, label: words(label), kind }, () => post(message));
  });
}

/** All that was heard of a host, in one line. */
export function stepsText({ steps }: SheetHost, words: Words): string {
  return steps.map(({ kind, at }) => `${words(STEPS[kind])} ${moment(at, words)}`).join(" → ");
}

/** The hosts of a line for several, each with what can be done about it. */
export function renderHosts(state: SheetState, words: Words, post: Post): HTMLElement[] {
  if (state.hosts.length === 0 || onlyHost(state) !== undefined) return [];
  const items = state.hosts.map((host) => {
    const { chip, tone, quote, sentence } = hostStatus(host, words);
    const parts = [
      element("span", { class: `mark ${tone}` }, chip),
      element("span", { class: "hint" }, stepsText(host, words)),
      ...(tone === "bad" ? [element("p", { class: "hint" }, sentence)] : []),
      ...(quote === "" ? [] : [element("p", { class: "quote" }, quote)]),
    ];
    const buttons = hostButtons(host, words, post);
    if (buttons.length > 0) parts.push(element("div", { class: "buttons" }, ...buttons));
    return element("li", {}, ...parts);
  });
  return [
    element("h2", {}, words("hosts")),
    element("ul", { class: "hosts", "aria-label": words("hosts") }, ...items),
  ];
}

/** What has happened that is about no host of the line. */
export function renderNews({ news }: SheetState, words: Words): HTMLElement[] {
  if (news.length === 0) return [];
  const items = news.map(({ at, text }) => element("li", {}, `${moment(at, words)} ${text}`));
  return [element("ul", { class: "news", "aria-label": words("news") }, ...items)];
}
