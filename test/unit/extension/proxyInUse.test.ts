import { describe, expect, it } from "vitest";
import { proxyInUse } from "../../../extension/src/servers/checks/proxyInUse.ts";

/** What the editor's own setting says. */
const UNSET = { setting: "", exceptions: [] as readonly string[] };

function proxyOf(
  url: string,
  environment: Record<string, string>,
  said: Partial<typeof UNSET> = {},
) {
  const variable = (name: string) => environment[name];
  return proxyInUse(url, { ...UNSET, ...said, environment: { variable } });
}

describe("the proxy between the editor and a server", () => {
  it("is that of the editor's setting, before that of the environment", () => {
    const environment = { HTTPS_PROXY: "http://env:1" };
    expect(proxyOf("https://relay.example", environment, { setting: "http://set:2" })).toBe(
      "set:2",
    );
    expect(proxyOf("https://relay.example", environment)).toBe("env:1");
    expect(proxyOf("http://relay.example", environment)).toBeUndefined();
  });

  it("is told without its password", () => {
    expect(proxyOf("https://relay.example", { https_proxy: "http://joe:hunter2@p:3128" })).toBe(
      "p:3128",
    );
  });

  it("is left out where that is said", () => {
    const environment = { https_proxy: "http://p:1", no_proxy: "localhost, .example" };
    expect(proxyOf("https://relay.example", environment)).toBeUndefined();
    expect(proxyOf("https://relay.example.org", environment)).toBe("p:1");
    expect(
      proxyOf(
        "https://relay.example",
        {},
        { setting: "http://p:1", exceptions: ["relay.example"] },
      ),
    ).toBeUndefined();
    expect(proxyOf("https://relay.example", { ...environment, no_proxy: "*" })).toBeUndefined();
  });

  it("is nothing where what is said is no address", () => {
    expect(proxyOf("https://relay.example", { https_proxy: "nonsense" })).toBeUndefined();
  });
});
