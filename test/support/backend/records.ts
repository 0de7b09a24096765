import type { z } from "zod";
import type {
  ClientRecord,
  StoredTunnel,
} from "../../../backend/src/store/records/clientRecord.ts";
import {
  clientRecordSchema,
  storedTunnelSchema,
} from "../../../backend/src/store/records/clientRecord.ts";

/** A client's record with plain values; `given` replaces some of them. */
export function clientRecord(
  given: Partial<z.input<typeof clientRecordSchema>> = {},
): ClientRecord {
  return clientRecordSchema.parse({
    id: "machine-1",
    name: "web",
    hostname: "web.example",
    os: "Debian",
    os_full_name: "Debian 12",
    os_version: "12",
    os_arch: "amd64",
    os_family: "debian",
    os_kernel: "linux",
    os_virtualization_system: "",
    os_virtualization_role: "",
    cpu_family: "",
    cpu_model: "",
    cpu_model_name: "",
    cpu_vendor: "",
    num_cpus: 2,
    mem_total: 1_000_000,
    timezone: "UTC",
    ipv4: ["192.0.2.1"],
    ipv6: [],
    tags: [],
    labels: {},
    version: "0.1.0",
    address: "192.0.2.1",
    client_auth_id: "fleet",
    connected_at: null,
    disconnected_at: null,
    features: [],
    secret_id: null,
    ...given,
  });
}

/** A tunnel on a client's record with plain values; `given` replaces some of them. */
export function storedTunnel(
  given: Partial<z.input<typeof storedTunnelSchema>> = {},
): StoredTunnel {
  return storedTunnelSchema.parse({
    id: "1",
    name: "",
    protocol: "tcp",
    lhost: "127.0.0.1",
    lport: "20001",
    lport_random: true,
    owner: "",
    rhost: "127.0.0.1",
    rport: "22",
    scheme: null,
    acl: null,
    idle_timeout_minutes: 5,
    auto_close: 0,
    http_proxy: false,
    host_header: "",
    auth_user: "",
    tunnel_url: "",
    created_at: "2030-01-01T00:00:00Z",
    ...given,
  });
}
