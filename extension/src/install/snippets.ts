import { linuxCommand, macosCommand } from "@rport/protocol/commands";
import { dockerCommand } from "@rport/protocol/pairing/dockerCommand";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { windowsCommand } from "@rport/protocol/pairing/windowsCommand";
import type { SheetOptions, SheetState } from "@rport/protocol/sheet";
import { isPlainLine } from "../support/text.ts";
import { flagsOf, parametersOf } from "./options.ts";

/** The lines of one platform, by what they fetch with. */
export type Platform = SheetState["platforms"][number];

type Command = Platform["commands"][number];

/** In the order of the tabs. */
const PLATFORMS = [
  { id: "linux", title: "Linux" },
  { id: "macos", title: "macOS" },
  { id: "windows", title: "Windows" },
  { id: "docker", title: "Docker" },
] as const;

type PlatformId = (typeof PLATFORMS)[number]["id"];
type Made = readonly Pick<Command, "id" | "text">[];

const TOOLS = ["curl", "wget"] as const;

/** Which lines are made here, from constants and quoted values, and not taken from the server. */
const MAKERS: Readonly<
  Partial<Record<PlatformId, (created: NewPairing, options: SheetOptions) => Made>>
> = {
  linux: (created, options) =>
    TOOLS.map((tool) => ({
      id: tool,
      text: linuxCommand({ ...shell(created, options, "linux"), tool }),
    })),
  macos: (created, options) => [
    { id: "curl", text: macosCommand(shell(created, options, "macos")) },
  ],
  docker: ({ server_url: url, pairing: { service }, tls_pin: tlsPin, token }) => {
    const text = dockerCommand({ url, pairingUrl: service.url || undefined, tlsPin, token });
    return [{ id: "docker", text }];
  },
  windows: (created, options) => {
    const sha256 = windowsScriptSha256(created);
    if (sha256 === undefined) return [];
    return [
      {
        id: "powershell",
        text: windowsCommand({ ...windows(created), sha256, parameters: parametersOf(options) }),
      },
    ];
  },
};

/**
 * The lines to paste, by platform: those that the server offers. One that could do more than it shows is
 * left out.
 */
export function platformsOf(created: NewPairing, options: SheetOptions): readonly Platform[] {
  return PLATFORMS.flatMap(({ id, title }) => {
    const commands = linesOf(id, created, options)
      .filter(({ text }) => isPlainLine(text))
      .map((line) => ({ ...line, title: line.id }));
    return commands.length === 0 ? [] : [{ id, title, commands }];
  });
}

function linesOf(platform: PlatformId, created: NewPairing, options: SheetOptions): Made {
  const offered = created.commands.filter((command) => command.platform === platform);
  if (created.pairing.service.kind === "rport-pairing") {
    return offered.map(({ tool, text }) => ({ id: tool, text }));
  }
  // servers that know of one platform only do not say so
  if (offered.length === 0 && platform !== "linux") return [];
  return MAKERS[platform]?.(created, options) ?? [];
}

function shell(created: NewPairing, options: SheetOptions, platform: "linux" | "macos") {
  return {
    url: created.server_url,
    pairingUrl: created.pairing.service.url || undefined,
    id: created.pairing.id,
    sha256: created.script_sha256,
    tlsPin: created.tls_pin,
    token: created.token,
    // below a folder of one's own nothing needs root
    sudo: options.prefix === "",
    flags: flagsOf(options, platform),
  };
}

function windows({ server_url: url, pairing: { id, service }, token }: NewPairing) {
  return { url, pairingUrl: service.url || undefined, id, token };
}

/**
 * SHA-256 of the installer for Windows, which stands in the server's line alone. Undefined where the server
 * has none, or its line is another one than would be made here.
 */
export function windowsScriptSha256(created: NewPairing): string | undefined {
  const offered = created.commands.find(({ platform }) => platform === "windows")?.text ?? "";
  const [sha256] = /(?<=-ne')[0-9a-f]{64}(?=')/.exec(offered) ?? [];
  if (sha256 === undefined) return undefined;
  return windowsCommand({ ...windows(created), sha256, parameters: {} }) === offered
    ? sha256
    : undefined;
}

/** Stands where the lines will be: an empty one, so that the page offers nothing but to make them. */
export const NO_LINES: readonly Platform[] = [
  { id: "linux", title: "Linux", commands: [{ id: "curl", title: "curl", text: "" }] },
];

/** Which platform and tool the page shows. */
export type Chosen = SheetState["chosen"];

/** The wanted line where there is one, else the first of the wanted platform, else the first. */
export function choiceAmong(platforms: readonly Platform[], wanted: Chosen): Chosen {
  const platform = platforms.find(({ id }) => id === wanted.platform) ?? platforms[0];
  const command =
    platform?.commands.find(({ id }) => id === wanted.command) ?? platform?.commands[0];
  return { platform: platform?.id ?? "linux", command: command?.id ?? "curl" };
}

/** The text of a line; undefined: there is none. */
export function textOf(
  platforms: readonly Platform[],
  { platform, command }: Chosen,
): string | undefined {
  const found = platforms.find(({ id }) => id === platform);
  return found?.commands.find(({ id }) => id === command)?.text;
}
