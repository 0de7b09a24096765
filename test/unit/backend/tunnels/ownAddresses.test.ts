import { networkInterfaces } from "node:os";
import { expect, it } from "vitest";
import { isOwnAddress } from "../../../../backend/src/tunnels/ownAddresses.ts";

const own = Object.values(networkInterfaces()).flatMap((all = []) => all.map((one) => one.address));

it.each(["0.0.0.0", "::", "127.0.0.1", "127.9.8.7", "::1", "0:0:0:0:0:0:0:1", ...own])(
  "takes %s for an address of this machine",
  (address) => {
    expect(isOwnAddress(address)).toBe(true);
  },
);

it.each(["192.0.2.1", "2001:db8::1"])("takes %s for another machine's", (address) => {
  expect(isOwnAddress(address)).toBe(false);
});
