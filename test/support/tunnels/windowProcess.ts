// A window in a process of its own, to be killed: opens one tunnel on a port and says so. Arguments: the
// storage folder, the port.
import { request, sharedWindow } from "./sharedWindow.ts";

const [storage = "", port] = process.argv.slice(2);
const tunnels = sharedWindow(storage);
const { localPort } = await tunnels.open(request(5432, Number(port)));
process.stdout.write(`open on ${localPort}\n`);
