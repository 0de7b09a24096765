import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  COMMANDS,
  CONTEXT_KEYS,
  SECTION,
  SETTINGS,
  SHEET_VIEW_TYPE,
  VIEWS,
  WALKTHROUGH,
} from "../../../extension/src/manifest.ts";
import { USER } from "../../../extension/src/ssh/config/accounts.ts";
import { ACTING, TOOL_INPUTS, type ToolName } from "../../../extension/src/tools/toolInputs.ts";
import { FLOOR_RELEASE } from "../../support/vscode/install.ts";

interface MenuItem {
  readonly command: string;
  readonly when?: string;
  readonly group?: string;
}

const folder = new URL("../../../extension/", import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
const manifest = read("package.json");
const nls: Record<string, string> = read("package.nls.json");
const { contributes } = manifest;
const menus: Readonly<Record<string, readonly MenuItem[]>> = contributes.menus;
const palette: readonly MenuItem[] = contributes.menus.commandPalette;
const commands: readonly { command: string; title: string; category: string; icon?: string }[] =
  contributes.commands;
const ids = commands.map(({ command }) => command);

interface Step {
  readonly description: string;
  readonly completionEvents: readonly string[];
  readonly media: { readonly svg: string; readonly altText: string };
}

interface Tool {
  readonly name: ToolName;
  readonly inputSchema: object;
  readonly when: string;
}

const steps: readonly Step[] = contributes.walkthroughs[0].steps;

/** Context keys that the editor itself sets. */
const EDITOR_KEYS = [
  "view",
  "viewItem",
  "resourceScheme",
  "focusedView",
  "listFocus",
  "listMultiSelection",
  "inputFocus",
  "inQuickInput",
];

function whens(): readonly string[] {
  const inMenus = Object.values(menus).flat();
  const rest = [
    ...contributes.keybindings,
    ...contributes.viewsWelcome,
    ...Object.values<MenuItem[]>(contributes.views).flat(),
  ];
  const completions = steps.flatMap(({ completionEvents }) => completionEvents);
  const keys = completions.map((event) => event.replace(/^onContext:/, ""));
  return [...[...inMenus, ...rest].flatMap(({ when }) => when ?? []), ...keys];
}

function keysOf(when: string): readonly string[] {
  return when
    .replaceAll(/\/[^/]*\//g, "")
    .split(/&&|\|\|/)
    .map((term) => term.replace(/^[\s!(]+/, "").split(/[\s)=]/)[0] ?? "")
    .filter((key) => key !== "");
}

describe("the manifest", () => {
  it("contributes exactly the commands that have a handler", () => {
    expect([...ids].sort()).toEqual(Object.values<string>(COMMANDS).sort());
  });

  it("promises to run in no editor that is older than the oldest one that is tested", () => {
    const [, minor] = FLOOR_RELEASE.split(".");
    expect(manifest.engines.vscode).toBe(`^1.${minor}.0`);
  });

  it("gives each command the category, a title from the strings, and at most one palette rule", () => {
    for (const { command, title, category } of commands) {
      expect(category, command).toBe("RPort");
      expect(title, command).toBe(`%command.${command.replace(/^rport\./, "")}%`);
      expect(palette.filter((rule) => rule.command === command).length, command).toBeLessThan(2);
    }
  });

  it("shows every command in the palette at least sometimes", () => {
    expect(palette.filter(({ when }) => when === "false")).toEqual([]);
  });

  it("has a walkthrough whose steps are completed by what is, with pictures in the theme's colours", () => {
    expect(WALKTHROUGH).toBe(
      `${manifest.publisher}.${manifest.name}#${contributes.walkthroughs[0].id}`,
    );
    for (const { description, completionEvents, media } of steps) {
      expect(completionEvents).toEqual([expect.stringMatching(/^onContext:rport\./)]);
      const text = nls[description.slice(1, -1)] ?? "";
      const links = [...text.matchAll(/\(command:([\w.]+)\)/g)].map(([, id]) => id);
      expect(ids).toEqual(expect.arrayContaining(links));
      const picture = readFileSync(new URL(media.svg, folder), "utf8");
      const colours = [...picture.matchAll(/(?:fill|stroke)="([^"]+)"/g)].map(
        ([, colour]) => colour,
      );
      for (const colour of colours) expect(colour).toMatch(/^(none|var\(--vscode-.*\))$/);
      expect(nls[media.altText.slice(1, -1)]).toMatch(/\.$/);
    }
  });

  it("shows each setting in a place of its own", () => {
    const settings = Object.values<{ order: number }>(contributes.configuration.properties);
    const orders = settings.map(({ order }) => order);
    expect(new Set(orders).size).toBe(orders.length);
  });

  it("says at once of an account that ssh cannot be told of it", () => {
    const { properties } = contributes.configuration;
    const users = properties["rport.ssh.users"].additionalProperties;
    for (const { pattern, patternErrorMessage } of [properties["rport.ssh.user"], users]) {
      expect(pattern).toBe(`^$|${USER.source}`);
      expect(patternErrorMessage).toBe("%settings.ssh.user.pattern%");
    }
  });

  it("has a string for each placeholder, and no other", () => {
    const text = JSON.stringify(manifest);
    const used = [...text.matchAll(/%([\w.-]+)%/g)].map(([, key]) => key);
    expect([...new Set(used)].sort()).toEqual(Object.keys(nls).sort());
  });

  it("names only known context keys in its conditions", () => {
    const known = new Set([...EDITOR_KEYS, ...Object.values<string>(CONTEXT_KEYS)]);
    for (const when of whens()) {
      for (const key of keysOf(when)) expect(known, when).toContain(key);
    }
  });

  it("tests every context key that is set", () => {
    const tested = new Set(whens().flatMap(keysOf));
    for (const key of Object.values(CONTEXT_KEYS)) expect(tested).toContain(key);
  });

  it("uses only its own commands in menus, keys and welcome texts", () => {
    const inMenus = Object.values(menus).flat();
    for (const { command } of [...inMenus, ...contributes.keybindings]) {
      expect(ids).toContain(command);
    }
    for (const [key, text] of Object.entries(nls)) {
      const links = [...text.matchAll(/\(command:([\w.]+)/g)].map(([, id]) => id ?? "");
      for (const id of links.filter((each) => each.startsWith("rport."))) {
        expect(ids, key).toContain(id);
      }
    }
  });

  it("gives inline and title buttons an icon", () => {
    const buttons = Object.values(menus)
      .flat()
      .filter(({ group }) => /^(inline|navigation)/.test(group ?? ""));
    expect(buttons.length).toBeGreaterThan(0);
    for (const { command } of buttons) {
      const icon = commands.find((each) => each.command === command)?.icon;
      expect(icon, command).toMatch(/^\$\([a-z-]+\)$/);
    }
  });

  it("has its views, its settings and its files", () => {
    const views: readonly { id: string }[] = contributes.views.rport;
    expect(views.map(({ id }) => id)).toEqual(Object.values(VIEWS));
    const settings = Object.values(SETTINGS).map((name) => `${SECTION}.${name}`);
    expect(Object.keys(contributes.configuration.properties)).toEqual(settings);
    expect(manifest.activationEvents).toEqual([
      "onStartupFinished",
      "onUri",
      `onWebviewPanel:${SHEET_VIEW_TYPE}`,
      // who asks for a host by ssh waits for this window, and has no other where it is the only one
      "onResolveRemoteAuthority:ssh-remote",
    ]);
    for (const file of [manifest.icon, contributes.viewsContainers.activitybar[0].icon]) {
      expect(existsSync(new URL(file, folder)), file).toBe(true);
    }
  });

  it("lets no workspace name a server, nor change what guards one (S-14)", () => {
    const { properties } = contributes.configuration;
    const ofWorkspaces = Object.keys(properties).filter(
      (name) => properties[name]?.scope !== "application",
    );
    expect(ofWorkspaces).toEqual([
      "rport.statusBar.visible",
      "rport.clients.showOffline",
      "rport.clients.description",
    ]);
    expect(manifest.capabilities.untrustedWorkspaces).toMatchObject({
      supported: "limited",
      restrictedConfigurations: ["rport.servers"],
    });
  });

  it("has the tools for language models that there are, with what they take, and hides what may not be used", () => {
    const tools: readonly Tool[] = contributes.languageModelTools;
    expect(tools.map(({ name }) => name)).toEqual(Object.keys(TOOL_INPUTS));
    for (const { name, inputSchema, when } of tools) {
      const { $schema, ...schema } = z.toJSONSchema(TOOL_INPUTS[name]);
      expect(inputSchema, name).toEqual(schema);
      const isActing = ACTING.some((each) => each === name);
      const rule = isActing ? "== 'readWrite'" : "!= 'off'";
      expect(when, name).toBe(`config.rport.ai.tools ${rule}`);
    }
    expect(tools.filter(({ name }) => /delete|remove|forget|purge|revoke/.test(name))).toEqual([]);
  });
});
