import type { FromSheet, SheetState } from "@rport/protocol/sheet";
import { button, element } from "./element.ts";
import type { WordKey, Words } from "./words.ts";

type NearOnly = NonNullable<SheetState["nearOnly"]>;
type Post = (message: FromSheet) => void;

const HINTS: Readonly<Record<NearOnly["listensTo"], WordKey>> = {
  "this-machine": "nearOnlyHere",
  "all-addresses": "nearOnlyAll",
  "one-address": "nearOnlyOne",
  unknown: "nearOnlyNone",
};

/** Warns of an address that other hosts cannot reach, with what can be done about it. */
export function renderNearOnly(
  nearOnly: NearOnly | undefined,
  words: Words,
  post: Post,
): readonly HTMLElement[] {
  if (nearOnly === undefined) return [];
  const { url, listensTo, addresses } = nearOnly;
  const isChoice = addresses.length > 0;
  const hint = isChoice || listensTo !== "all-addresses" ? HINTS[listensTo] : "nearOnlyNone";
  const help = button({ key: "address-help", label: words("addressHelp") }, () =>
    post({ type: "openAddressHelp" }),
  );
  const controls = isChoice ? [...choice(addresses, words, post), help] : [help];
  return [
    element(
      "div",
      { class: "notice warning", role: "note" },
      element("p", {}, element("strong", {}, words("nearOnly", url)), ` ${words(hint)}`),
      element("div", { class: "buttons" }, ...controls),
    ),
  ];
}

function choice(addresses: NearOnly["addresses"], words: Words, post: Post): HTMLElement[] {
  const options = addresses.map(({ url, card }) =>
    element("option", { value: url }, `${url} (${card})`),
  );
  const select = element(
    "select",
    { "aria-label": words("address"), "data-key": "address" },
    ...options,
  );
  const look = { key: "use-address", label: words("useAddress") };
  return [select, button(look, () => post({ type: "chooseAddress", url: select.value }))];
}

/** Says honestly what a service apart from the server can see; nothing where there is none. */
export function renderService({ service }: SheetState, words: Words): readonly HTMLElement[] {
  if (service.kind === "embedded") return [];
  const key = service.kind === "sealed" ? "sealed" : "rportPairing";
  const tone = service.kind === "sealed" ? "neutral" : "warning";
  const text = element("p", {}, words(key, service.url));
  return [element("div", { class: `notice ${tone}`, role: "note" }, text)];
}

/** Says whom the line lets in as whom, as long as it allows terminals. */
export function renderTerminals(state: SheetState, words: Words): readonly HTMLElement[] {
  const { options, offered, problems, server } = state;
  const isRight = problems.user === undefined && problems.terminals === undefined;
  if (!options.terminals || !offered.includes("terminals") || !isRight) return [];
  const { user } = options;
  const said =
    user === "" ? words("terminalsAsOwn", server.name) : words("terminalsAs", server.name, user);
  return [element("div", { class: "notice warning", role: "note" }, element("p", {}, said))];
}
