import { windowsCommand } from "@rport/protocol/pairing/windowsCommand";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../agent/src/config/config.ts";
import { Manual } from "../../../extension/src/install/manual.ts";
import { manualText } from "../../../extension/src/install/manualText.ts";
import { addressGuide, nearOnlyOf } from "../../../extension/src/install/nearOnly.ts";
import { NO_OPTIONS, offeredOptions, problemsOf } from "../../../extension/src/install/options.ts";
import { choiceAmong, platformsOf } from "../../../extension/src/install/snippets.ts";
import { pairing } from "./entities.ts";
import { FakeServer } from "./fakeServer.ts";
import { created, openSheet, PAIRING_ID } from "./installSheet.ts";
import { serverOn } from "./serverFixture.ts";

describe("the lines to paste", () => {
  it("are those of the platforms that the server offers, and made here", () => {
    const platforms = platformsOf(created(), NO_OPTIONS);
    expect(platforms.map(({ id }) => id)).toEqual(["linux", "macos"]);
    expect(JSON.stringify(platforms)).not.toContain("not ours");
    expect(platforms[1]?.commands[0]?.text).toContain("| shasum -a 256)");
    // a server of before, which offers no more than one platform
    expect(platformsOf(created({ commands: [] }), NO_OPTIONS).map(({ id }) => id)).toEqual([
      "linux",
    ]);
  });

  it("run as root unless they install below a folder of one's own", () => {
    const [linux] = platformsOf(created(), NO_OPTIONS);
    expect(linux?.commands.map(({ id }) => id)).toEqual(["curl", "wget"]);
    expect(linux?.commands[0]?.text).toContain("| sudo sh ");
    const own = platformsOf(created(), {
      ...NO_OPTIONS,
      noService: true,
      prefix: "/home/me/my dir",
    });
    expect(own[0]?.commands[0]?.text).toContain("--prefix '/home/me/my dir' --no-service");
    expect(own[0]?.commands[0]?.text).not.toContain("sudo");
  });

  it("PAIR-11: pin the key of a server that nobody trusts, in every one, and say why there is none for Windows", async () => {
    const pin = `sha256//${"A".repeat(43)}=`;
    const docker = { platform: "docker", tool: "docker", text: "not ours" };
    const { commands } = created();
    const made = created({ tls_pin: pin, commands: [...commands, docker] });
    const lines = platformsOf(made, NO_OPTIONS).flatMap((platform) => platform.commands);
    expect(lines.map(({ id }) => id)).toEqual(["curl", "wget", "curl", "docker"]);
    const [curl, wget, mac, container] = lines.map(({ text }) => text);
    expect(curl).toContain(`curl -fsSL -m 60 -k --pinnedpubkey '${pin}' -o`);
    expect(wget).toContain(`-T 20) --no-check-certificate --pinnedpubkey='${pin}' -O`);
    for (const text of [curl, wget, mac])
      expect(text).toContain(` --tls-pin '${pin}' --token-stdin`);
    expect(container).toContain(`-e 'RPORT_TLS_PIN=${pin}'`);
    await using fake = await FakeServer.start();
    using sheet = await openSheet(fake, { made: { tls_pin: pin } });
    expect(sheet.model.state.news[0]?.text).toContain("There is no line for Windows");
  });

  it("have the flags of all options", () => {
    const values = { user: "agent", proxy: "http://proxy:3128", runtime: "node" } as const;
    const file = { packageFile: "~/my agent", sha256: "AB".repeat(32) };
    const switches = { noStart: true, newId: true, force: true };
    const [linux] = platformsOf(created(), { ...NO_OPTIONS, ...values, ...file, ...switches });
    const flags = [
      "--user agent --proxy http://proxy:3128",
      `--package ~/'my agent' --sha256 ${"ab".repeat(32)} --runtime node`,
      "--no-start --new-id --force",
    ];
    expect(linux?.commands[0]?.text).toContain(` ${flags.join(" ")}; s=`);
  });

  it("allow terminals as the account that runs the agent, where an installation can", () => {
    const flags = (changes: Partial<typeof NO_OPTIONS>) =>
      platformsOf(created(), { ...NO_OPTIONS, terminals: true, ...changes }).map(
        ({ commands: [first] }) =>
          / --token-stdin(?: --proxy-stdin)?(.*); s=\$/.exec(first?.text ?? ""),
      );
    const [linux, macos] = flags({ user: "anna" });
    expect([linux?.[1], macos?.[1]]).toEqual([" --terminals anna", " --user anna"]);
    expect(flags({ prefix: "~/rport", force: true })[0]?.[1]).toBe(
      " --prefix ~/rport --terminals --force",
    );
    const offers = ["linux", "macos", "windows", "docker"].map((platform) =>
      offeredOptions({ kind: "embedded" }, platform).includes("terminals"),
    );
    expect(offers).toEqual([true, false, false, false]);
  });

  it("for Windows is made here with the hash of the server's line, if that is the usual one", () => {
    const { server_url: url, token } = created();
    const parts = { url, id: PAIRING_ID, sha256: "cd".repeat(32), token };
    const offered = (text: string) =>
      created({
        commands: [{ platform: "windows", tool: "powershell", text }],
      });
    const usual = offered(windowsCommand({ ...parts, parameters: {} }));
    const file = { packageFile: "D:\\rport-agent.exe", sha256: "ef".repeat(32) };
    // what is chosen for other systems means nothing there
    const elsewhere = { proxy: "http://proxy:3128", runtime: "node", user: "me" } as const;
    const options = { ...NO_OPTIONS, ...elsewhere, ...file, prefix: "C:\\my tools", newId: true };
    const [, windows] = platformsOf(usual, options);
    const parameters = {
      Prefix: "C:\\my tools",
      Package: "D:\\rport-agent.exe",
      Sha256: "ef".repeat(32),
      NewId: true,
    } as const;
    expect(windows?.commands[0]?.text).toBe(windowsCommand({ ...parts, parameters }));
    const other = offered(`${windowsCommand({ ...parts, parameters: {} })}; calc`);
    expect(platformsOf(other, NO_OPTIONS).map(({ id }) => id)).toEqual(["linux"]);
  });

  it.each(["a\u202Eb", "a\u200Bb"])(
    "are left out when the server hides something in them (S-15)",
    (bad) => {
      const hostile = created({
        server_url: `http://${bad}.test`,
        commands: [{ platform: "docker", tool: "docker", text: `docker run ${bad}` }],
      });
      expect(platformsOf(hostile, NO_OPTIONS)).toEqual([]);
      const apart = { kind: "rport-pairing", url: "https://pair.example.com" };
      const elsewhere = { ...hostile, pairing: pairing(PAIRING_ID, { service: apart }) };
      expect(platformsOf(elsewhere, NO_OPTIONS)).toEqual([]);
    },
  );

  it.each(["\r\nrm -rf /", "\u001B[2K"])("are refused with control characters (S-15)", (bad) => {
    const hostile = created({ server_url: `http://a.test/${bad}` });
    expect(() => platformsOf(hostile, NO_OPTIONS)).toThrow("control characters");
  });

  it.each(["a\u202Eb", "a b", "$(id)", "-n", ""])(
    "are refused with a token that is none (S-15): %j",
    (token) => {
      expect(() => platformsOf(created({ token }), NO_OPTIONS)).toThrow("letters and digits");
    },
  );

  it("are shown as the last time, as far as there is such a line", () => {
    const platforms = platformsOf(created(), NO_OPTIONS);
    const wget = { platform: "linux", command: "wget" };
    expect(choiceAmong(platforms, wget)).toEqual(wget);
    expect(choiceAmong(platforms, { platform: "macos", command: "wget" })).toEqual({
      platform: "macos",
      command: "curl",
    });
    const gone = choiceAmong(platforms, { platform: "windows", command: "powershell" });
    expect(gone).toEqual({ platform: "linux", command: "curl" });
  });
});

describe("an option that cannot be used", () => {
  const offered = offeredOptions({ kind: "embedded" }, "linux");
  const wrong = (changes: Partial<typeof NO_OPTIONS>, platform = "linux") =>
    Object.keys(problemsOf({ ...NO_OPTIONS, ...changes }, offered, platform));

  it("is none where nothing was chosen", () => expect(wrong({})).toEqual([]));

  it.each(["/opt/rport", "~/rport", "~/my dir/rport"])("is not the folder %j", (prefix) => {
    expect(wrong({ prefix })).toEqual([]);
  });

  it.each(["rport", "./rport", "~", "~/", "~anna/rport", "/a\u202Eb", "C:\\rport"])(
    "is the folder %j",
    (prefix) => expect(wrong({ prefix })).toEqual(["prefix"]),
  );

  it.each([
    { user: "anna" },
    { user: "root", noService: true },
    { prefix: "~/rport" },
    { prefix: "~/rport", noService: true },
  ])("is none where terminals have an account: %j", (changes) => {
    expect(wrong({ terminals: true, ...changes })).toEqual([]);
  });

  it("is no account for terminals that cannot be allowed there", () => {
    expect(wrong({ terminals: true }, "macos")).toEqual([]);
  });

  it("is a folder of another system", () => {
    expect(wrong({ prefix: "~/rport" }, "windows")).toEqual(["prefix"]);
    expect(wrong({ prefix: "C:\\Tools\\rport" }, "windows")).toEqual([]);
  });

  it.each([
    [{ name: "x".repeat(65) }, "name"],
    [{ name: "a\u200Bb" }, "name"],
    [{ name: "web", uses: "3" }, "name"],
    [{ tags: ["x".repeat(65)] }, "tags"],
    [{ tags: Array.from({ length: 33 }, (_, n) => `t${n}`) }, "tags"],
    [{ hostname: "web 01" }, "hostname"],
    [{ uses: "0" }, "uses"],
    [{ uses: "101" }, "uses"],
    [{ uses: "2.5" }, "uses"],
    [{ hostname: "web-01", uses: "2" }, "uses"],
    [{ minutes: "61" }, "minutes"],
    [{ user: "Anna" }, "user"],
    [{ user: "agent", prefix: "~/rport" }, "user"],
    [{ noService: true, noStart: true }, "noService"],
    [{ terminals: true }, "user"],
    [{ terminals: true, user: "anna", noService: true }, "terminals"],
    [{ proxy: "proxy:3128" }, "proxy"],
    [{ proxy: "socks5://proxy" }, "proxy"],
    [{ proxy: "http://me:secret@proxy" }, "proxy"],
    [{ proxy: "http://a b" }, "proxy"],
    [{ packageFile: "agent" }, "packageFile"],
    [{ packageFile: "https://example.com/agent" }, "packageFile"],
    [{ packageFile: "/agent", sha256: "ab" }, "sha256"],
    [{ sha256: "ab".repeat(32) }, "sha256"],
  ])("is said under its field: %j", (changes, field) => expect(wrong(changes)).toEqual([field]));

  it("is a file without its hash on Windows, whose installer asks for that", () => {
    const packageFile = "C:\\rport-agent.exe";
    expect(wrong({ packageFile }, "windows")).toEqual(["sha256"]);
    expect(wrong({ packageFile, sha256: "AB".repeat(32) }, "windows")).toEqual([]);
    expect(wrong({ packageFile: "/tmp/rport-agent" })).toEqual([]);
  });

  it("is not looked for where the option means nothing", () => {
    const rport = offeredOptions({ kind: "rport-pairing" }, "linux");
    expect(problemsOf({ ...NO_OPTIONS, prefix: "relative" }, rport, "linux")).toEqual({});
  });
});

describe("an address near the server", () => {
  const cards = [
    { card: "eth0", address: "192.0.2.10" },
    { card: "eth0", address: "2001:db8::10" },
  ];

  it.each(["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"])(
    "is warned of: %s",
    (url) => {
      const near = nearOnlyOf({ url, listensTo: "all-addresses", cards });
      expect(near?.addresses.map((one) => one.url)).toEqual([
        "http://192.0.2.10:8080",
        "http://[2001:db8::10]:8080",
      ]);
      expect(nearOnlyOf({ url, listensTo: "this-machine", cards })?.addresses).toEqual([]);
      expect(nearOnlyOf({ url, listensTo: undefined, cards })?.listensTo).toBe("unknown");
    },
  );

  it("keeps the path of the server", () => {
    const url = "http://localhost/rport";
    const near = nearOnlyOf({ url, listensTo: "all-addresses", cards });
    expect(near?.addresses[0]?.url).toBe("http://192.0.2.10/rport");
  });

  it("comes with a guide that has the values of this server", () => {
    const url = "http://127.0.0.1:8123";
    const guide = addressGuide({ url, listensTo: "this-machine", addresses: [] }, cards);
    expect(guide).toContain("--address 0.0.0.0:8123");
    expect(guide).toContain('url = ["http://192.0.2.10:8123"]');
  });
});

describe("the way without an installer", () => {
  it("is a file that the agent reads", () => {
    const text = manualText({
      url: "https://rport.example.com/below",
      fingerprint: `SHA256:${"A".repeat(43)}`,
      authId: "fleet",
      secret: 'a"b\\c\u007Fd',
      name: 'we"b',
      tags: ["x", "y z"],
    });
    const config = parseConfig(text, "rport.conf");
    expect(config).toMatchObject({
      servers: ["wss://rport.example.com:443/below/"],
      credential: { authId: "fleet", secret: 'a"b\\c\u007Fd' },
      name: 'we"b',
      tags: ["x", "y z"],
    });
  });

  it("shows its secret only when asked, and for half a minute", async () => {
    await using fake = await FakeServer.start();
    const { server, clock } = serverOn(fake);
    const secret = "a-secret-of-its-own";
    fake.reply = ({ method }) =>
      method === "POST"
        ? { status: 201, body: { data: { id: "fleet", secret_id: "s1", password: secret } } }
        : { status: 200, body: { data: {} } };
    const manual = new Manual({ server, authId: "fleet", clock, onChange: () => undefined });
    const url = "https://rport.example.com";
    await manual.make({ url, fingerprint: "SHA256:x", name: "", tags: [] });
    expect(manual.text).toContain(`auth = "fleet:${secret}"`);
    expect(JSON.stringify(manual.state)).not.toContain(secret);
    manual.toggle();
    expect(manual.state).toMatchObject({ isShown: true });
    expect(JSON.stringify(manual.state)).toContain(secret);
    clock.advance(30_000);
    expect(manual.state).toMatchObject({ kind: "made", isShown: false });
    expect(JSON.stringify(manual.state)).not.toContain(secret);
    manual.dispose();
    expect(manual.text).toBeUndefined();
  });
});
