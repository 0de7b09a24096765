import { CliFailure, EXIT } from "../../cli/cliFailure.ts";
import type { Wrapper } from "../platform.ts";

/** There is none: what services and people start here is an executable. */
export const NO_WRAPPER: Wrapper = {
  render: () => {
    const sentence = "On Windows the agent is installed as its executable, not with Node.";
    throw new CliFailure(EXIT.unsupported, sentence);
  },
  nodeIn: () => undefined,
};
