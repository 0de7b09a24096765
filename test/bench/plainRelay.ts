import net, { type AddressInfo } from "node:net";
import { serve } from "./childPort.ts";

// The least a relay in Node can do: what every tunnel is compared with.
const target = Number(process.argv[2]);
const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
  const far = net.connect({ port: target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  near.pipe(far);
  far.pipe(near);
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
  near.on("close", () => far.destroy());
  far.on("close", () => near.destroy());
});
server.listen(0, "127.0.0.1", () => serve({}, (server.address() as AddressInfo).port));
