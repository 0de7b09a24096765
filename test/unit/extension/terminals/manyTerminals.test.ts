import { describe, expect, it } from "vitest";
import { manyTerminals } from "../../../../extension/src/model/terminals/manyTerminals.ts";
import { client } from "../entities.ts";

const clients = (count: number) => Array.from({ length: count }, (_, at) => client(`web-${at}`));

describe("many terminals at once", () => {
  it("are asked about from the sixth on", () => {
    expect(manyTerminals(clients(5))).toBeUndefined();
    expect(manyTerminals(clients(40))).toEqual({
      question: "Open 40 terminals?",
      lines: ["A shell is begun on each of web-0, web-1, web-2, web-3, web-4 +35."],
      button: "Open",
    });
  });
});
