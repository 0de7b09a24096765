import { t } from "@vscode/l10n";
import { env, window, workspace } from "vscode";
import { isLoopback } from "../../servers/config.ts";
import type { After, Step } from "./steps.ts";

/** What a server said who it is. */
export interface Shown {
  readonly url: string;
  readonly fingerprint: string;
  /** The one that was accepted before; empty: none. */
  readonly accepted: string;
  /** What its TLS key is recognised by, where its certificate is its own. */
  readonly tlsPin?: string | undefined;
  /** The one that was accepted before. */
  readonly acceptedPin?: string | undefined;
}

const GO_ON = t("Go On");
const TRUST = t("Trust the New Key");
const COPY = t("Copy");
const BACK = t("Back");

/** Shows the fingerprint of a server before anything secret is sent to it. */
export function fingerprintStep(shown: () => Shown, next: () => Step): Step {
  return async ({ canGoBack }): Promise<After> => {
    for (;;) {
      const chosen = await ask(shown(), canGoBack);
      if (chosen === BACK) return { kind: "back" };
      if (chosen === GO_ON || chosen === TRUST) return { kind: "next", step: next() };
      if (chosen !== COPY) return { kind: "cancelled" };
      const { fingerprint, tlsPin } = shown();
      await env.clipboard.writeText(
        tlsPin === undefined ? fingerprint : `${fingerprint}\n${tlsPin}`,
      );
    }
  };
}

async function ask(shown: Shown, canGoBack: boolean): Promise<string | undefined> {
  const { url } = shown;
  const { host } = new URL(url);
  const changes = changesOf(shown);
  const isChanged = changes.length > 0;
  const isAlarming = isChanged || channelOf(url) === "clear";
  const show = isAlarming ? window.showWarningMessage : window.showInformationMessage;
  const rest = canGoBack ? [COPY, BACK] : [COPY];
  const lines = isChanged
    ? [...changes, "", CHANGED, "", channelText(shown)]
    : [...keysOf(shown), "", channelText(shown), "", t("Nothing secret has been sent yet.")];
  return await show<string>(
    isChanged
      ? t("{0} answers with another key than before.", host)
      : t("Is this the key of {0}?", host),
    { modal: true, detail: lines.join("\n") },
    isChanged ? TRUST : GO_ON,
    ...rest,
  );
}

/** Each key that is another one than was accepted, before and now. */
function changesOf({ fingerprint, accepted, tlsPin, acceptedPin }: Shown): readonly string[] {
  const isOther = accepted !== "" && accepted !== fingerprint;
  const keys = isOther ? [t("Before: {0}", accepted), t("Now: {0}", fingerprint)] : [];
  // A certificate that is trusted now takes the place of a pin.
  if (accepted === "" || tlsPin === undefined || tlsPin === acceptedPin) return keys;
  const before = acceptedPin ?? t("a certificate that was trusted");
  return [...keys, t("TLS key before: {0}", before), t("TLS key now: {0}", tlsPin)];
}

function keysOf({ fingerprint, tlsPin }: Shown): readonly string[] {
  return tlsPin === undefined ? [fingerprint] : [fingerprint, t("TLS key: {0}", tlsPin)];
}

const CHANGED = t(
  "This is expected after the server was set up anew. If nobody did that, someone may be impersonating it: do not go on.",
);

type Channel = "loopback" | "clear" | "checked" | "unchecked" | "pinned";

function channelOf(url: string): Channel {
  if (isLoopback(url)) return "loopback";
  if (url.startsWith("http:")) return "clear";
  return workspace.getConfiguration("http").get("proxyStrictSSL", true) ? "checked" : "unchecked";
}

const CHANNEL_TEXTS: Readonly<Record<Channel, string>> = {
  pinned: t(
    "No computer trusts its certificate, which it has made itself: from now on it is recognised by its TLS key. Anybody on the way may have shown both keys: compare them with those that the server printed at its start.",
  ),
  loopback: t("A program on this computer told it."),
  checked: t(
    "It came over a connection whose certificate this computer trusts. To be certain, compare it with the one that the server printed at its start.",
  ),
  unchecked: t(
    "Certificates are not checked on this computer (setting http.proxyStrictSSL), so anybody on the way may have told it: compare it with the one that the server printed at its start.",
  ),
  clear: t(
    "The connection is not encrypted. Anybody on the way may have told it, and can read your password and your token and act as you: compare it with the one that the server printed at its start, and go on in a network that you trust only.",
  ),
};

/** How far the fingerprint can be believed, in words. */
function channelText({ url, tlsPin }: Shown): string {
  return CHANNEL_TEXTS[tlsPin === undefined ? channelOf(url) : "pinned"];
}
