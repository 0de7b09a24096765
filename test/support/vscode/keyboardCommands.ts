/** What comes of a command: a question in the box at the top, a dialog, a tab, or something to paste. */
export type Reaction = "asks" | "warns" | "shows" | "copies";

/** Where the menu is that has a command: that of a row, or that of a view's header, dots included. */
export interface MenuPlace {
  readonly view: "Clients" | "Client Access" | "Tunnels" | "Users";
  /** Absent: the header. */
  readonly row?: string | RegExp;
}

/** A command as somebody without a mouse tries it. */
export interface TriedCommand {
  readonly title: string;
  /** From the palette it asks for what it is to do, unless this says something else. */
  readonly palette?: Reaction;
  readonly place?: MenuPlace;
  /** From the menu, where what is meant is known. */
  readonly menu?: Reaction;
}

const online = { view: "Clients", row: "web-01" } as const;
const offline = { view: "Clients", row: "build-arm" } as const;
const revoked = { view: "Clients", row: "cache-01" } as const;
const header = { view: "Clients" } as const;
const rotating = { view: "Client Access", row: "web-fleet" } as const;
const credential = { view: "Client Access", row: "laptops" } as const;
const tunnel = { view: "Tunnels", row: "SSH" } as const;
const user = { view: "Users", row: "bert" } as const;

/** Commands that can be tried and left again without a change. */
export const TRIED_COMMANDS: readonly TriedCommand[] = [
  // these hosts allow none, which a dialog says
  { title: "Open Terminal", place: online, menu: "warns" },
  {
    title: "Open Terminals on Hosts of Group",
    place: { view: "Clients", row: /^Online/ },
    menu: "warns",
  },
  // there are none
  { title: "Type Into All...", palette: "warns" },
  { title: "Stop Typing Into All", palette: "warns" },
  { title: "Open Tunnel...", place: online, menu: "asks" },
  // nothing was recorded, which a dialog says
  { title: "Play Recording...", palette: "warns", place: online, menu: "warns" },
  { title: "Save Recording...", palette: "warns" },
  { title: "Set Up ssh for Hosts...", palette: "warns" },
  { title: "Remove Hosts from ssh...", palette: "warns" },
  { title: "Connect with Remote-SSH...", place: online, menu: "warns" },
  { title: "Connect with Remote-SSH in New Window...", place: online, menu: "warns" },
  { title: "Copy SSH Command", place: online, menu: "warns" },
  { title: "Set SSH User...", place: online, menu: "asks" },
  { title: "Show Details", place: online, menu: "shows" },
  { title: "Copy Name", place: online, menu: "copies" },
  { title: "Copy Client ID", place: online, menu: "copies" },
  { title: "Copy Authentication ID", place: online, menu: "copies" },
  { title: "Copy Host Address", place: online, menu: "copies" },
  { title: "Copy Link", place: online, menu: "copies" },
  { title: "Rename Client...", place: online, menu: "asks" },
  { title: "Edit Tags...", place: online, menu: "asks" },
  { title: "Revoke Client...", place: online, menu: "warns" },
  { title: "Pin" },
  { title: "Go to Client..." },
  { title: "Why Is This Client Offline?", place: offline, menu: "shows" },
  { title: "Forget Client...", place: offline, menu: "warns" },
  { title: "Show Who Still Tries", place: revoked, menu: "shows" },
  { title: "Allow Client Again...", place: revoked, menu: "warns" },
  { title: "Install Client...", place: header, menu: "asks" },
  { title: "Filter Clients...", place: header, menu: "asks" },
  { title: "Group Clients By...", place: header, menu: "asks" },
  { title: "Sort Clients By...", place: header, menu: "asks" },
  { title: "Add Server...", place: header, menu: "asks" },
  { title: "Rename Server...", place: header, menu: "asks" },
  { title: "Remove Server...", palette: "warns", place: header, menu: "warns" },
  { title: "Check Connection...", palette: "shows", place: header, menu: "shows" },
  { title: "Copy Server Fingerprint", palette: "copies", place: header, menu: "copies" },
  { title: "Show Audit Log", palette: "shows", place: header, menu: "shows" },
  { title: "Manage My Tokens...", place: header, menu: "asks" },
  { title: "Set Up Authenticator App...", place: header, menu: "asks" },
  { title: "Change My Password...", place: header, menu: "asks" },
  { title: "Report Problem...", palette: "shows" },
  { title: "Create Credential...", place: { view: "Client Access" }, menu: "asks" },
  { title: "Rotate Credential...", place: credential, menu: "asks" },
  { title: "Edit Credential...", place: credential, menu: "asks" },
  { title: "Delete Credential...", place: credential, menu: "warns" },
  { title: "Finish Rotation...", place: rotating, menu: "warns" },
  { title: "Cancel Rotation...", place: rotating, menu: "warns" },
  { title: "Copy Tunnel Address", place: tunnel, menu: "copies" },
  { title: "Copy Tunnel Link", place: tunnel, menu: "copies" },
  { title: "Copy Command Line of Tunnel", place: tunnel, menu: "copies" },
  { title: "Close Tunnel" },
  { title: "Invite User...", place: { view: "Users" }, menu: "asks" },
  { title: "Change Groups of User...", place: user, menu: "asks" },
  { title: "Disable User...", place: user, menu: "warns" },
  { title: "Rotate What a User Knows..." },
];
