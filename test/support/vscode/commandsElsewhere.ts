import { LIFE_COMMANDS } from "./lifeCommands.ts";
import { LINK_COMMANDS } from "./links.ts";
import { LOCAL_COMMANDS } from "./localCommands.ts";
import { ORDER_COMMANDS } from "./orderCommands.ts";
import { PEOPLE_COMMANDS } from "./peopleCommands.ts";
import { SSH_COMMANDS } from "./sshCommands.ts";
import { MANY_TERMINALS_COMMANDS, RECORDING_COMMANDS, TERMINAL_COMMANDS } from "./terminal.ts";
import { TUNNEL_COMMANDS } from "./tunnels.ts";

/** Titles of the palette's commands that have an e2e test of their own, outside `commands.test.ts`. */
export const COMMANDS_ELSEWHERE: readonly string[] = [
  ...LIFE_COMMANDS,
  ...LINK_COMMANDS,
  ...LOCAL_COMMANDS,
  ...ORDER_COMMANDS,
  ...PEOPLE_COMMANDS,
  ...SSH_COMMANDS,
  ...TERMINAL_COMMANDS,
  ...MANY_TERMINALS_COMMANDS,
  ...RECORDING_COMMANDS,
  ...TUNNEL_COMMANDS,
];
