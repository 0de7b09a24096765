import { hostname } from "node:os";
import { t } from "@vscode/l10n";
import type { ApiFetch } from "../../api/http.ts";
import { baseUrlOf, nameOf, type ServerConfig } from "../../servers/config.ts";
import type { Fleet } from "../../servers/fleet.ts";
import type { Server } from "../../servers/server.ts";
import type { ServerSettings } from "../../servers/settings.ts";
import { type Door, meet, meetPinned } from "../../servers/signIn.ts";
import type { Tokens } from "../../servers/tokens.ts";
import { plainText } from "../../support/text.ts";
import { askText, type Checked } from "./ask.ts";
import { fingerprintStep } from "./fingerprint.ts";
import { keepToken } from "./keepToken.ts";
import { showNewTotpSecret } from "./secondFactor.ts";
import { SignInForm } from "./signInForm.ts";
import { waysStep } from "./signInSteps.ts";
import { type Step, takeSteps } from "./steps.ts";

/** What adding and signing in need. */
export interface SignInDeps {
  readonly fleet: Pick<Fleet, "get" | "servers">;
  readonly settings: Pick<ServerSettings, "put" | "edit" | "read">;
  readonly tokens: Pick<Tokens, "set" | "holdForSession">;
  readonly fetch: ApiFetch;
}

/** Longest name of a server. */
const NAME_MAX = 100;

/** A server that a link has named. */
export interface NamedServer {
  readonly url: string;
  /** The key that it has to show. */
  readonly fingerprint?: string | undefined;
  readonly name?: string | undefined;
}

interface Draft {
  /** Counts for that address only, whatever is typed in its place. */
  readonly named: NamedServer | undefined;
  address: string;
  name: string;
  /** Everything about the server that answered at the address. */
  met: Met | undefined;
}

interface Met {
  readonly url: string;
  readonly fingerprint: string;
  readonly tlsPin: Door["tlsPin"];
  readonly signIn: SignInForm;
}

const TITLE = t("Add Server");
const TOTAL_AT_FIRST = 6;

/**
 * Address, fingerprint, sign-in, name. Nothing is kept before the last step, and nobody is asked anything
 * before somebody has pressed Enter on the address, also on one that a link has named.
 */
export async function addServer(deps: SignInDeps, named?: NamedServer): Promise<void> {
  const draft: Draft = { named, address: named?.url ?? "", name: "", met: undefined };
  const isDone = await takeSteps(addressStep(draft, deps));
  const { met } = draft;
  if (isDone || met === undefined) return;
  // who became a user by an invitation has no other way in
  if (met.signIn.isCertain) await keep(draft, met, deps);
  else await met.signIn.abandon();
}

function addressStep(draft: Draft, deps: SignInDeps): Step {
  return async (place) => {
    const answer = await askText({
      title: TITLE,
      place,
      total: draft.met?.signIn.total ?? TOTAL_AT_FIRST,
      prompt: t("Address of the server"),
      placeholder: "https://relay.example.com",
      value: draft.address,
      typed: (text) => {
        draft.address = text;
      },
      check: (text) => meetAt(text, draft, deps),
    });
    if (answer.kind !== "value") return answer;
    const met = answer.value;
    draft.met = met;
    const { named } = draft;
    const suggested = named?.url === met.url ? named.name : undefined;
    draft.name = configAt(met.url, deps)?.name ?? suggested ?? nameOf(met.url);
    return { kind: "next", step: keyStep(met, deps) };
  };
}

async function meetAt(text: string, draft: Draft, deps: SignInDeps): Promise<Checked<Met>> {
  const url = baseUrlOf(text);
  if (url === undefined) return { why: t("This is not an http or https address.") };
  const known = configAt(url, deps)?.tlsPin;
  const { door, face } = await meetPinned({ url, tlsPin: known, fetch: deps.fetch });
  const { tlsPin } = door;
  const { fingerprint_sha256: fingerprint } = face;
  const { named } = draft;
  const wanted = named?.url === url ? named.fingerprint : undefined;
  if (wanted !== undefined && wanted !== fingerprint) return { why: whyOtherServer(fingerprint) };
  const signIn = new SignInForm({
    title: TITLE,
    door,
    computer: hostname(),
    hasUsers: face.sign_in.password,
    before: 2,
    after: 1,
    setUpSecondFactor: (jwt) => showNewTotpSecret(door, jwt),
    next: async () => ({ kind: "next", step: nameStep(draft, deps) }),
  });
  return { value: { url, fingerprint, tlsPin, signIn } };
}

function whyOtherServer(shown: string): string {
  return t("This is not the server of the link: it has another key ({0}).", plainText(shown));
}

function keyStep({ url, fingerprint, tlsPin, signIn }: Met, deps: SignInDeps): Step {
  const { fingerprint: accepted = "", tlsPin: acceptedPin } = configAt(url, deps) ?? {};
  const ways = waysStep(signIn);
  return fingerprintStep(
    () => ({ url, fingerprint, accepted, tlsPin, acceptedPin }),
    () => ways,
  );
}

function nameStep(draft: Draft, deps: SignInDeps): Step {
  return async (place) => {
    const { met } = draft;
    if (met === undefined) return { kind: "cancelled" };
    const canGoBack = place.canGoBack && !met.signIn.isCertain;
    const answer = await askText({
      title: TITLE,
      place: { ...place, canGoBack },
      total: met.signIn.total,
      prompt: t("What is the server called in your views? You can change it later."),
      value: draft.name,
      typed: (text) => {
        draft.name = text;
      },
      check: async (text) => {
        const why = whyNotServerName(text, othersThan(met.url, deps));
        if (why !== undefined) return { why };
        await keep(draft, met, deps);
        return { value: undefined };
      },
    });
    return answer.kind === "value" ? { kind: "done" } : answer;
  };
}

async function keep(draft: Draft, met: Met, deps: SignInDeps): Promise<void> {
  // at most once: a dialog may close the step that waits for it, after which nothing is to be kept anew
  draft.met = undefined;
  try {
    await keepMet(draft.name.trim(), met, deps);
  } catch (error) {
    draft.met = met;
    throw error;
  }
}

async function keepMet(name: string, met: Met, deps: SignInDeps): Promise<void> {
  const { url, fingerprint, tlsPin, signIn } = met;
  if (!(await keepToken(signIn.deps.door, await signIn.token(), deps))) return;
  // one that is known already does not connect by itself when its setting changes
  const known = deps.fleet.get(url);
  await deps.settings.put({ name: name || nameOf(url), url, fingerprint, tlsPin });
  known?.acceptFingerprint(fingerprint);
}

/** Signs in to a configured server anew: its name and its fingerprint stay. */
export async function signInAgain(server: Server, deps: SignInDeps): Promise<void> {
  const { tlsPin } = server;
  const door = { url: server.key, tlsPin, fetch: deps.fetch };
  const face = await meet(door);
  const fingerprint = face.fingerprint_sha256;
  const accepted = configAt(server.key, deps)?.fingerprint ?? "";
  const isKnown = accepted === fingerprint;
  const signIn = new SignInForm({
    title: t("Sign In to {0}", plainText(server.name)),
    door,
    computer: hostname(),
    hasUsers: face.sign_in.password,
    before: isKnown ? 0 : 1,
    after: 0,
    setUpSecondFactor: (jwt) => showNewTotpSecret(door, jwt),
    next: async () => ({ kind: "done" }),
  });
  const ways = waysStep(signIn);
  const keyShown = fingerprintStep(
    () => ({ url: server.key, fingerprint, accepted, tlsPin, acceptedPin: tlsPin }),
    () => ways,
  );
  if (!(await takeSteps(isKnown ? ways : keyShown))) {
    await signIn.abandon();
    return;
  }
  if (!(await keepToken(door, await signIn.token(), deps))) return;
  server.acceptFingerprint(fingerprint);
}

/** Gives a server another name. */
export async function renameServer(server: Server, deps: SignInDeps): Promise<void> {
  const others = othersThan(server.key, deps);
  const answer = await askText({
    title: t("Rename {0}", plainText(server.name)),
    place: { number: 1, canGoBack: false },
    total: 1,
    prompt: t("What is the server called in your views?"),
    value: server.name,
    typed: () => undefined,
    check: async (text) => {
      const why = whyNotServerName(text, others);
      return why === undefined ? { value: text.trim() } : { why };
    },
  });
  if (answer.kind === "value") await deps.settings.edit(server.key, { name: answer.value });
}

function configAt(url: string, { settings }: SignInDeps): ServerConfig | undefined {
  return settings.read().find((config) => config.url === url);
}

function othersThan(url: string, { settings }: SignInDeps): readonly string[] {
  return settings
    .read()
    .filter((config) => config.url !== url)
    .map(({ name }) => name);
}

/** Why a server cannot be called so; undefined when it can. */
export function whyNotServerName(text: string, others: readonly string[]): string | undefined {
  const name = text.trim();
  if (name === "") return t("A server has a name.");
  if (name.length > NAME_MAX) return t("A name has at most {0} characters.", NAME_MAX);
  return others.includes(name) ? t("Another server is called so.") : undefined;
}
