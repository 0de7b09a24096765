import { t } from "@vscode/l10n";
import { type QuickPickItem, window } from "vscode";
import { plural } from "../../support/plural.ts";
import { nameSome, plainText } from "../../support/text.ts";
import type { HostTerminal } from "../../terminals/hostTerminal.ts";
import type { HostTerminals } from "../../terminals/hostTerminals.ts";
import type { ManyLines, Member, TypeIntoAll } from "../../terminals/typeIntoAll.ts";
import { confirm } from "../confirm.ts";
import type { Handlers } from "../registry.ts";

/** More names than these fill a dialog: they are seen in the list before it. */
const ASKED_MAX = 24;

/** What typing into several terminals needs. */
export interface TypingDeps {
  readonly terminals: HostTerminals;
  readonly typing: TypeIntoAll;
}

/** Commands that have what is typed go to several terminals. */
export type TypingHandlers = Pick<Handlers, "stopTypingIntoAll" | "typeIntoAll">;

interface Choice extends QuickPickItem {
  readonly terminal: HostTerminal;
}

type Named = Pick<Member, "name" | "place">;

/** Typing into several terminals. Whoever runs the command, a person is asked in a dialog before it begins. */
export function typingHandlers(deps: TypingDeps): TypingHandlers {
  return {
    typeIntoAll: () => begin(deps),
    async stopTypingIntoAll() {
      if (deps.typing.members.length > 0) deps.typing.stop();
      else await tell(t("What is typed goes to one terminal alone."), "");
    },
  };
}

/** Asks about a paste of several lines. */
export async function askPaste({ lines, members }: ManyLines): Promise<"all" | "here" | undefined> {
  const answer = await confirm({
    question: plural(
      lines,
      t("Paste a whole line into {0}?", hostCount(members)),
      t("Paste {0} lines into {1}?", lines, hostCount(members)),
    ),
    lines: [namesOf(members), t("A shell that does not know pastes runs each line at once.")],
    button: t("Paste Into All"),
    instead: t("Paste Only Here"),
  });
  return answer === "act" ? "all" : answer && "here";
}

/** How many hosts these terminals are of, in words. */
export function hostCount(members: readonly Pick<Member, "host">[]): string {
  const hosts = new Set(members.map(({ host }) => host)).size;
  return plural(hosts, t("{0} host", hosts), t("{0} hosts", hosts));
}

/** What terminals are called, as far as a dialog has room; hosts of one name by their places, too. */
export function namesOf(members: readonly Named[]): string {
  const placesOf = Map.groupBy(members, ({ name }) => name);
  const isShared = (name: string) =>
    new Set(placesOf.get(name)?.map(({ place }) => place)).size > 1;
  const names = members.map(({ name, place }) => (isShared(name) ? `${name} [${place}]` : name));
  return plainText(nameSome(names, ASKED_MAX));
}

async function begin({ terminals, typing }: TypingDeps): Promise<void> {
  if (terminals.all.length < 2) {
    const how = t("Select several clients and choose Open Terminal, or a group's menu, first.");
    await tell(t("There are no two terminals of hosts in this window."), how);
    return;
  }
  const split = terminals.active === undefined ? [] : terminals.besides(terminals.active);
  const members = await agreedOn(split, terminals);
  if (members === undefined) return;
  typing.begin(members);
  const { active } = terminals;
  // a dialog, or the list, had the keys
  const shown = active !== undefined && members.includes(active) ? active : members[0];
  if (shown !== undefined) terminals.show(shown);
}

/** The terminals that a person has agreed on, all of them connected; undefined: on none. */
async function agreedOn(
  split: readonly HostTerminal[],
  terminals: HostTerminals,
): Promise<readonly HostTerminal[] | undefined> {
  const isSeen = split.length > 1 && split.length <= ASKED_MAX;
  let members = isSeen
    ? split
    : await pick(terminals.all, split.length > 1 ? split : terminals.all);
  while (members !== undefined) {
    const answer = await ask(members);
    if (answer === undefined) return undefined;
    if (answer === "others") members = await pick(terminals.all, members);
    else if (members.every(({ session }) => session.isAttached)) return members;
  }
  return undefined;
}

/** Asks whether these are meant; those that are not connected are named, and nothing can begin. */
async function ask(members: readonly HostTerminal[]): Promise<"act" | "others" | undefined> {
  const act = t("Type Into All");
  const others = t("Choose Others...");
  const away = members.filter(({ session }) => !session.isAttached);
  const answer =
    away.length > 0
      ? await window.showWarningMessage(
          t("Not all of these terminals are connected."),
          { modal: true, detail: t("Not connected now: {0}.", namesOf(away)) },
          others,
        )
      : await window.showInformationMessage(
          t("Type into {0} at once?", hostCount(members)),
          { modal: true, detail: `${namesOf(members)}\n\n${whatItDoes()}` },
          act,
          others,
        );
  if (answer === others) return "others";
  return answer === act ? "act" : undefined;
}

function whatItDoes(): string {
  return t(
    "What you type or paste into one of them goes to all, until you press Enter. Ctrl+C, Ctrl+D, another terminal, or a minute without a key end it, too.",
  );
}

/** Lets a person choose at least two of these. */
async function pick(
  all: readonly HostTerminal[],
  picked: readonly HostTerminal[],
): Promise<readonly HostTerminal[] | undefined> {
  const choices = all.map((terminal): Choice => {
    const { isAttached } = terminal.session;
    return {
      label: plainText(terminal.name),
      description: isAttached ? plainText(terminal.place) : t("not connected"),
      picked: isAttached && picked.includes(terminal),
      terminal,
    };
  });
  const title = t("Type into which terminals at once?");
  const chosen = await window.showQuickPick(choices, { title, canPickMany: true });
  if (chosen === undefined || chosen.length > 1) return chosen?.map(({ terminal }) => terminal);
  void window.showInformationMessage(t("Choose two terminals at least."));
  return undefined;
}

async function tell(message: string, detail: string): Promise<void> {
  await window.showInformationMessage(message, { modal: true, detail });
}
