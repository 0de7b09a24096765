import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const PACKAGES = ["backend/protocol", "backend", "agent", "extension", "webview-ui"] as const;

interface Import {
  /** Relative to the checkout, with forward slashes. */
  readonly file: string;
  readonly specifier: string;
}

const IMPORT =
  /^\s*(?:import|export)\b[^;]*?from "([^"]+)"|^\s*import "([^"]+)"|\bimport\("([^"]+)"\)/gm;

function sourcesOf(name: string): string[] {
  const folder = join(root, name, "src");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file));
}

function importsOf(path: string): Import[] {
  const file = relative(root, path).split(sep).join("/");
  const found = readFileSync(path, "utf8").matchAll(IMPORT);
  return [...found].map((match) => ({ file, specifier: match[1] ?? match[2] ?? match[3] ?? "" }));
}

const imports = PACKAGES.flatMap(sourcesOf).flatMap(importsOf);
const within = (folder: string) => imports.filter(({ file }) => file.startsWith(`${folder}/`));
const files = (found: readonly Import[]) => [...new Set(found.map(({ file }) => file))];

describe("the boundaries between packages", () => {
  it("are looked for in all sources", () => expect(imports.length).toBeGreaterThan(1_000));

  it("are looked for in what is loaded only when it is needed, too", () => {
    const specifier = "./proxyAgent.ts";
    expect(imports).toContainEqual({ file: "agent/src/connection/proxy.ts", specifier });
  });

  it.each(PACKAGES)("%s reaches other packages by their name only", (name) => {
    const home = join(root, name, "src");
    const outside = within(`${name}/src`).filter(
      ({ file, specifier }) =>
        specifier.startsWith(".") &&
        !resolve(root, dirname(file), specifier).startsWith(home + sep),
    );
    expect(outside).toEqual([]);
  });

  it("let nobody import backend, agent, extension or page", () => {
    const names = /^rport(-backend|-agent|-webview-ui)?(\/|$)/;
    expect(imports.filter(({ specifier }) => names.test(specifier))).toEqual([]);
  });

  it("keep the agent connection out of the editor and its page", () => {
    const wire = /^@rport\/protocol\/(wire\/|sealing)/;
    const editor = [...within("extension"), ...within("webview-ui")];
    expect(editor.filter(({ specifier }) => wire.test(specifier))).toEqual([]);
  });

  it("keep VS Code out of everything that can be thought about without it", () => {
    const users = files(imports.filter(({ specifier }) => specifier === "vscode"));
    expect(users.filter((file) => !/^extension\/src\/(?!model\/)/.test(file))).toEqual([]);
  });
});

/** The folders of `backend/src` that each of these may import; platform and protocol always. */
const BELOW = {
  audit: ["config", "limits", "lists", "store"],
} as const;
/** What each of these must not import, though it is no circle. */
const APART = {
  credentials: ["clients", "http", "pairing", "tunnels"],
  clients: ["pairing", "tunnels"],
} as const;
/** Who puts the others together; nobody but these and main.ts imports one. */
const OPENERS = ["opening", "app.ts", "faces.ts", "services.ts", "backend.ts"];
const LAYERED = ["backend/src", "agent/src", "extension/src"] as const;

interface Arrow {
  readonly from: string;
  readonly to: string;
}

/** Who imports whom within a folder; paths relative to it. */
function arrowsIn(home: string): Arrow[] {
  return within(home)
    .filter(({ specifier }) => specifier.startsWith("."))
    .map(({ file, specifier }) => ({
      from: file.slice(home.length + 1),
      to: relative(join(root, home), resolve(root, dirname(file), specifier)).replaceAll(sep, "/"),
    }));
}

/** The top-level folder that a file lies in, or the file when it lies in none. */
const folderOf = (file: string) => file.split("/")[0] ?? file;

/** The arrows that are part of a circle: their end leads back to their beginning. */
function circlesOf(arrows: readonly Arrow[]): string[] {
  const next = Map.groupBy(arrows, ({ from }) => from);
  const leadsTo = (start: string, end: string): boolean => {
    const seen = new Set([start]);
    for (const one of seen) for (const { to } of next.get(one) ?? []) seen.add(to);
    return seen.has(end);
  };
  const inCircles = arrows.filter(({ from, to }) => leadsTo(to, from));
  return [...new Set(inCircles.map(({ from, to }) => `${from} -> ${to}`))];
}

describe("the floors within a package", () => {
  const backend = arrowsIn("backend/src");
  const ofFolder = (folder: string) => backend.filter(({ from }) => folderOf(from) === folder);

  it.each(LAYERED)("of %s: no import runs back up from a folder to one above it", (home) => {
    const between = arrowsIn(home)
      .map(({ from, to }) => ({ from: folderOf(from), to: folderOf(to) }))
      .filter(({ from, to }) => from !== to);
    expect(between).not.toEqual([]);
    expect(circlesOf(between)).toEqual([]);
  });

  it.each(LAYERED)("of %s: no files import each other in a circle", (home) => {
    expect(circlesOf(arrowsIn(home))).toEqual([]);
  });

  it.each(Object.entries(BELOW))("of the backend: %s/ imports only %j", (folder, below) => {
    const allowed = new Set<string>([...below, folder, "platform"]);
    expect(ofFolder(folder).filter(({ to }) => !allowed.has(folderOf(to)))).toEqual([]);
  });

  it.each(Object.entries(APART))("of the backend: %s/ imports none of %j", (folder, apart) => {
    const kept = new Set<string>(apart);
    expect(ofFolder(folder).filter(({ to }) => kept.has(folderOf(to)))).toEqual([]);
  });

  it("of the backend: nobody imports what opens it", () => {
    const isOpened = ({ from, to }: Arrow) =>
      OPENERS.includes(folderOf(to)) && ![...OPENERS, "main.ts"].includes(folderOf(from));
    expect(backend.filter(isOpened)).toEqual([]);
  });
});

describe("the page about the architecture", () => {
  it("names every folder of the backend, and no others", () => {
    const page = readFileSync(join(root, "docs/architecture.md"), "utf8");
    const listed = /^backend\/src\n((?: {2}.*\n)*)/m.exec(page)?.[1] ?? "";
    const named = [...listed.matchAll(/^ {2}(\w+)\/ /gm)].map((match) => match[1]);
    const folders = readdirSync(join(root, "backend/src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(named.sort()).toEqual(folders.sort());
  });
});

describe("the floors of the extension", () => {
  const home = "extension/src";
  /** From the ground up; who stands on one floor knows the floors below, and not each other. */
  const FLOORS = [
    ["support", "manifest.ts"],
    ["model", "api"],
    ["tunnels"],
    ["servers"],
    ["views", "links", "terminals", "ssh"],
    ["install"],
    ["commands"],
    ["tools"],
    ["windowTunnels.ts"],
    ["window.ts"],
    ["extension.ts"],
  ];
  const roomOf = (path: string) => path.split("/")[2] ?? "";
  const floorOf = (room: string) => FLOORS.findIndex((rooms) => rooms.includes(room));
  const steps = within(home)
    .filter(({ specifier }) => specifier.startsWith("."))
    .map(({ file, specifier }) => {
      const target = relative(root, resolve(root, dirname(file), specifier));
      return { file, from: roomOf(file), to: roomOf(target.split(sep).join("/")) };
    });

  it("hold every folder and every file beside the folders", () => {
    expect(readdirSync(join(root, home)).sort()).toEqual(FLOORS.flat().sort());
  });

  it("let no import run back up, or across", () => {
    const up = steps.filter(({ from, to }) => from !== to && floorOf(to) >= floorOf(from));
    expect(up).toEqual([]);
  });

  it("keep the model on protocol, support and the translations alone", () => {
    const own = within(`${home}/model`).filter(({ specifier }) => !specifier.startsWith("."));
    const allowed = /^@rport\/protocol\/|^@vscode\/l10n$/;
    expect(own.filter(({ specifier }) => !allowed.test(specifier))).toEqual([]);
    const rooms = new Set(steps.filter(({ from }) => from === "model").map(({ to }) => to));
    expect([...rooms].sort()).toEqual(["model", "support"]);
  });

  it("keep the install sheet from the commands that open it", () => {
    expect(steps.filter(({ from, to }) => from === "install" && to === "commands")).toEqual([]);
  });
});
