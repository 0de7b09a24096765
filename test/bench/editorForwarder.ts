import { Forwarder } from "../../extension/src/tunnels/forwarder.ts";
import { serve } from "./childPort.ts";

// The extension's end of an editor tunnel, in a process of its own as the editor is.
const [url = "", token = "", clientId = "", port = ""] = process.argv.slice(2);
const access = async () => ({ kind: "ready", url, authorization: `Bearer ${token}` }) as const;
const remote = { host: "127.0.0.1", port: Number(port) };
const forwarder = await Forwarder.listen({ access, clientId, remote }, [0]);
serve({}, forwarder.port);
