import { describe, expect, it } from "vitest";
import { hostLinks } from "../../../../extension/src/model/terminals/hostLinks.ts";

const texts = (line: string) =>
  hostLinks(line).map(({ start, length }) => line.slice(start, start + length));

describe("S-68: links in a terminal of a host", () => {
  it.each([
    ["  Local:   http://localhost:5173/", "localhost 5173 /"],
    ["Jupyter at http://127.0.0.1:8888/lab?token=abc#x.", "127.0.0.1 8888 /lab?token=abc#x"],
    ["on http://0.0.0.0:3000, all", "127.0.0.1 3000 "],
    ["(http://[::1]:9000)", "::1 9000 "],
    ["http://[::]:9000/a", "localhost 9000 /a"],
    ["HTTP://LocalHost/", "localhost 80 /"],
    ["https://localhost?x", "localhost 443 ?x"],
    ["http://[::1]", "::1 80 "],
    ["(see http://[::].)", "localhost 80 "],
    ["http://localhost:3000/wiki/a_(b)", "localhost 3000 /wiki/a_(b)"],
    ["(http://localhost:3000/wiki/a_(b))", "localhost 3000 /wiki/a_(b)"],
    ["_http://localhost:3000/", "localhost 3000 /"],
    ["git+http://localhost:3000/?a=%26", "localhost 3000 /?a=%26"],
  ])("lead to a page of the host: %s", (line, page) => {
    const pages = hostLinks(line).map((link) =>
      link.kind === "page" ? `${link.remote.host} ${link.remote.port} ${link.rest}` : "",
    );
    expect(pages).toEqual([page]);
  });

  it.each([
    "see https://example.com/a/b",
    "http://localhost.example.com:3000/",
    "http://localhost:0/ http://localhost:70000/",
    "http://anna@localhost:3000/",
    "ssh://localhost:22",
    "nothing of it",
  ])("are none of these, which the editor opens, or nobody: %s", (line) => {
    expect(hostLinks(line)).toEqual([]);
  });

  it.each([
    ["/etc/hosts:3", ["/etc/hosts:3"]],
    ["error in src/main.c:12:5: missing ;", ["src/main.c:12:5"]],
    ["main.c:12:5: error", ["main.c:12:5"]],
    ['File "/srv/app.py", line 3', ["/srv/app.py"]],
    ["~/notes.txt and ../up.", ["~/notes.txt", "../up"]],
    ["C:\\Users\\anna\\x.ps1:7", ["C:\\Users\\anna\\x.ps1:7"]],
    ["file:///etc/hosts", ["file:///etc/hosts"]],
    ["xfile:///etc/hosts", ["file:///etc/hosts"]],
    ["http://localhost:3000/ is /srv/www", ["http://localhost:3000/", "/srv/www"]],
  ])("are its files: %s", (line, files) => {
    expect(texts(line)).toEqual(files);
  });

  it("are looked for in as much of a line as the editor gives", () => {
    expect(texts(`${"a ".repeat(990)}/etc/hosts`)).toEqual(["/etc/hosts"]);
    expect(texts(`${"a ".repeat(1_000)}/etc/hosts`)).toEqual([]);
  });
});
