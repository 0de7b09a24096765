import { EXIT } from "./exitCode.ts";

/** What there is to say behind the program's name. */
export const USAGE = "connect CLIENT [HOST:]PORT";

/** What the program is for, and how, for whoever asks. */
export function helpText(command: string): string {
  return [
    `Usage: ${command} ${USAGE}`,
    "",
    "Carries its input and output to a port of a client, or to a place that the client reaches. A window",
    "of your editor signs in to the server: it has to be open, and signed in. No port of this computer is opened.",
    "",
    "  CLIENT       the client's name, host name or ID; where servers have hosts of one name, with that of",
    "               the server behind a dot: web-01.prod. The names that ssh is told of work, too.",
    "  HOST         as seen from the client; without it, the client itself. IPv6 in brackets: [fd00::5]:22",
    "",
    "  --help       this text",
    "  --version    the version",
    "",
    "In the configuration of ssh, for all that a host called gateway reaches, without signing in there:",
    "",
    "  Host 10.0.0.*",
    `    ProxyCommand ${command} connect gateway %h:%p`,
    "",
    "RPORT_STORAGE names the folder in which your editor keeps what RPort wants to last",
    "(.../User/globalStorage/rport.rport), where that is in another place than usual.",
    "",
    "Exit codes:",
    `  ${EXIT.done}    both directions have ended`,
    `  ${EXIT.usage}    wrong arguments`,
    `  ${EXIT.noWindow}    no window of the editor is open`,
    `  ${EXIT.signedOut}    you are not signed in`,
    `  ${EXIT.noClient}    no client is called so`,
    `  ${EXIT.severalClients}    several clients are called so`,
    `  ${EXIT.offline}    the client is not connected`,
    `  ${EXIT.unreached}    nothing listens there, or the client does not get there`,
    `  ${EXIT.notAllowed}    the client's configuration or your rights do not allow it`,
    `  ${EXIT.notNow}   not now: a server is away, or somebody has too many connections`,
    `  ${EXIT.failed}  anything else`,
    "",
  ].join("\n");
}
