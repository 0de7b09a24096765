/** What tells whether this is a virtual machine; a missing file is empty. */
export interface VirtualizationFiles {
  /** `/proc/bus/pci/devices`, with the drivers' names. */
  readonly pciDevices: string;
  /** A device of Hyper-V's guest services is there. */
  readonly hasVmBus: boolean;
  /** The maker's and the product's name. */
  readonly board: string;
}

/** A virtual machine in the words of RPort's own client. */
export interface Virtualization {
  readonly OSVirtualizationSystem: string;
  readonly OSVirtualizationRole: string;
}

/** Drivers of devices that only such a hypervisor has, in the order in which RPort asks for them. */
const DRIVERS: readonly (readonly [string, string])[] = [
  ["hyperv_fb", "HYPERV"],
  ["vmwgfx", "VMWARE"],
  ["virtio-pci", "KVM"],
  ["xen-platform-pci", "XEN"],
];

/** Words in the maker's or product's name that give a hypervisor away. */
const HYPERVISORS: readonly (readonly [RegExp, string])[] = [
  [/kvm|qemu|openstack|amazon ec2|google/i, "KVM"],
  [/vmware/i, "VMWARE"],
  [/virtualbox|innotek/i, "VBOX"],
  [/microsoft.*virtual|virtual machine/i, "HYPERV"],
  [/xen/i, "XEN"],
];

/**
 * What the devices say comes first, as with RPort's client; the board's name tells where they do not.
 * Unknown is what that client says of machines with PCI devices, too, and nothing of those without.
 */
export function virtualizationOf({
  pciDevices,
  hasVmBus,
  board,
}: VirtualizationFiles): Virtualization {
  const byDriver = DRIVERS.find(([driver]) => pciDevices.includes(driver))?.[1];
  const byName = HYPERVISORS.find(([pattern]) => pattern.test(board))?.[1];
  const system = hasVmBus ? "HYPERV" : (byDriver ?? byName);
  if (system !== undefined)
    return { OSVirtualizationSystem: system, OSVirtualizationRole: "guest" };
  if (pciDevices === "") return { OSVirtualizationSystem: "", OSVirtualizationRole: "" };
  return { OSVirtualizationSystem: "UNKNOWN", OSVirtualizationRole: "unknown" };
}
