import { FEATURES } from "@rport/protocol/agent";

const two = (value: number) => String(value).padStart(2, "0");

/**
 * The `new_connection` of a host that somebody takes care of: about 4 kB with its addresses, labels
 * and configuration. The same number gives the same host.
 */
export function introductionOf(number: number): Buffer {
  return Buffer.from(JSON.stringify({ ...identityOf(number), ...SYSTEM, ...addressesOf(number) }));
}

/** The client id of a swarm's agent. */
export function swarmClientId(number: number): string {
  return `swarm-${String(number).padStart(6, "0")}`;
}

function identityOf(number: number) {
  const name = `web${two(number % 100)}.rack${two(Math.floor(number / 100))}.example.com`;
  return {
    ID: swarmClientId(number),
    Name: name,
    SessionID: `5c2a4c1e-0000-4000-8000-${String(number).padStart(12, "0")}`,
    OS: `Linux ${name} 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 x86_64`,
    Hostname: name,
    ClientConfiguration: configurationOf(name),
  };
}

function addressesOf(number: number) {
  const host = `${number >> 8}.${number & 255}`;
  const six = number.toString(16);
  return {
    IPv4: ["10.7", "172.16", "172.17", "172.18"].map((net) => `${net}.${host}`),
    IPv6: ["2001:db8:1", "2001:db8:2", "fd00:1", "fe80"].map((net) => `${net}::${six}`),
  };
}

function configurationOf(name: string) {
  return {
    client: {
      server: "wss://rport.example.com:443",
      fallback_servers: ["wss://rport2.example.com:443", "wss://rport3.example.com:443"],
      server_switchback_interval: 120_000_000_000,
      fingerprint: `SHA256:${"F".repeat(43)}`,
      name,
      tags: TAGS,
      labels: LABELS,
      tunnel_allowed: ["127.0.0.1:22", "127.0.0.1:443", "10.0.0.0/8:1-65535"],
      data_dir: "/var/lib/rport",
    },
    connection: { keep_alive: 180_000_000_000, max_retry_count: -1, hostname: "" },
    remote_commands: { enabled: false, allow: ["^/usr/bin/.*"], deny: ["(\\||<|>|;|,|\\n|&)"] },
  };
}

const TAGS = ["linux", "datacenter-3", "bare-metal", "team-payments", "backup-daily"];
const LABELS = Object.fromEntries(
  Array.from({ length: 28 }, (_, n) => [`label-${two(n)}`, `the value of label number ${two(n)}`]),
);
const SYSTEM = {
  OSFullName: "Debian 12.5",
  OSVersion: "12.5",
  OSVirtualizationSystem: "KVM",
  OSVirtualizationRole: "guest",
  OSArch: "amd64",
  OSFamily: "debian",
  OSKernel: "linux",
  Version: "1.0.0",
  CPUFamily: "25",
  CPUModel: "1",
  CPUModelName: "AMD EPYC 7763 64-Core Processor",
  CPUVendor: "AuthenticAMD",
  NumCPUs: 8,
  MemoryTotal: 33_554_432_000,
  Timezone: "CET (UTC+01:00)",
  Tags: TAGS,
  Labels: LABELS,
  Remotes: [],
  Features: Object.values(FEATURES).filter((feature) => feature !== FEATURES.hostKey),
};
