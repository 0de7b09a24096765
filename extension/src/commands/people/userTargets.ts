import type { Invitation } from "@rport/protocol/people/invitation";
import type { User } from "@rport/protocol/people/user";
import { t } from "@vscode/l10n";
import { ThemeIcon, window } from "vscode";
import type { Row } from "../../model/rows/row.ts";
import { accessRow, invitationRow, userLabel, userRow } from "../../model/rows/userRow.ts";
import type { UserAccess } from "../../model/userAccess.ts";
import type { Fleet } from "../../servers/fleet.ts";
import { ALL_INVITATIONS } from "../../servers/people.ts";
import type { Server } from "../../servers/server.ts";
import { plainText } from "../../support/text.ts";
import { hasUsers } from "../../views/context.ts";
import type { CommandInput } from "../registry.ts";

/** A user and the server that knows the user. */
export interface UserTarget {
  readonly server: Server;
  readonly user: User;
}

/** A way in of a user. */
export interface AccessTarget extends UserTarget {
  readonly access: UserAccess;
}

/** An invitation and its server. */
export interface InvitationTarget {
  readonly server: Server;
  readonly invitation: Invitation;
}

/** What turning rows into users needs. */
export interface UserTargetsDeps {
  readonly fleet: Fleet;
}

/** Turns what a command was called on into users, and asks with a list when it is nothing. */
export class UserTargets {
  readonly #deps: UserTargetsDeps;

  constructor(deps: UserTargetsDeps) {
    this.#deps = deps;
  }

  /** The server whose users are meant; asks only when there are several. */
  async server({ node }: CommandInput, title: string): Promise<Server | undefined> {
    const given = node === undefined ? undefined : this.#deps.fleet.get(node.serverKey);
    if (given !== undefined) return given;
    const [only, ...others] = this.#servers;
    if (others.length === 0)
      return only ?? nothing(t("There is no server whose users are yours to manage."));
    return await ask(
      this.#servers.map((server) => ({ label: plainText(server.name), target: server })),
      title,
    );
  }

  /** The user of the row, or of what is below it, else the one that is picked. */
  async user(
    { node }: CommandInput,
    title: string,
    fits: (user: User) => boolean = () => true,
  ): Promise<UserTarget | undefined> {
    const all = this.#servers.flatMap((server) =>
      [...server.mirror.maps.users.values()].map((user) => ({ server, user })),
    );
    const given = all.find(
      ({ server, user }) =>
        (node?.kind === "user" || node?.kind === "access") &&
        node.serverKey === server.key &&
        node.userName === user.username,
    );
    if (given !== undefined) return given;
    const fitting = all.filter(({ user }) => fits(user));
    if (fitting.length === 0) return nothing(t("There is no such user."));
    return await ask(
      fitting.map((target) => this.#userChoice(target)),
      title,
    );
  }

  /** The session or token of the row, else the one that is picked of a user's. */
  async access(input: CommandInput, title: string): Promise<AccessTarget | undefined> {
    const owner = await this.user(
      input,
      t("Of which user?"),
      ({ tokens, sessions }) => tokens + sessions > 0,
    );
    if (owner === undefined) return undefined;
    const { server, user } = owner;
    const { access: lists } = server.people;
    const { node } = input;
    if (node?.kind === "access") {
      const access = lists.get(node.userName, node.accessId);
      return access === undefined ? undefined : { server, user, access };
    }
    await lists.load(user.username);
    const failure = lists.failureOf(user.username);
    if (failure !== undefined) return nothing(failure);
    const choices = lists.of(user.username).map((access) => ({
      ...choiceOf(accessRow(access, server.time.nowMs)),
      target: { server, user, access },
    }));
    return choices.length === 0
      ? nothing(t("There is nothing to end."))
      : await ask(choices, title);
  }

  /** The invitation of the row, else the one that is picked. */
  async invitation(input: CommandInput, title: string): Promise<InvitationTarget | undefined> {
    const server = await this.server(input, t("Of which server?"));
    if (server === undefined) return undefined;
    const { invitations } = server.people;
    const { node } = input;
    if (node?.kind === "invitation") {
      const invitation = invitations.get(ALL_INVITATIONS, node.invitationId);
      return invitation === undefined ? undefined : { server, invitation };
    }
    await invitations.load(ALL_INVITATIONS);
    const choices = invitations.of(ALL_INVITATIONS).map((invitation) => ({
      ...choiceOf(invitationRow(invitation, server.time.nowMs)),
      target: { server, invitation },
    }));
    return choices.length === 0 ? nothing(t("No invitation is open.")) : await ask(choices, title);
  }

  get #servers(): readonly Server[] {
    return this.#deps.fleet.servers.filter(hasUsers);
  }

  #userChoice(target: UserTarget) {
    const { server, user } = target;
    const isMe = user.username === server.rights.username;
    const row = userRow({ user, isMe, failure: undefined, nowMs: server.time.nowMs });
    const where = this.#servers.length > 1 ? `${server.name} \u00B7 ` : "";
    const choice = choiceOf(row);
    return { ...choice, description: plainText(where) + choice.description, target };
  }
}

/** What a user is called in a sentence. */
export function nameOfUser({ user, server }: UserTarget): string {
  return t("{0} on {1}", plainText(userLabel(user)), plainText(server.name));
}

function choiceOf({ label, description, icon }: Row) {
  const choice = { label: plainText(label), description: plainText(description) };
  // an icon in the label would be spoken by its name
  return icon === undefined ? choice : { ...choice, iconPath: new ThemeIcon(icon.name) };
}

async function ask<T>(
  choices: readonly { readonly label: string; readonly target: T }[],
  title: string,
): Promise<T | undefined> {
  return (await window.showQuickPick(choices, { title, matchOnDescription: true }))?.target;
}

function nothing(message: string): undefined {
  void window.showInformationMessage(plainText(message));
}
