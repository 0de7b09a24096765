#!/bin/sh
# Owns one test system for as long as standard input stays open, so that the end of the test
# process, whatever its cause, ends the system too. Run it in a mount namespace of its own:
#
#   unshare --mount sh supervise.sh ROOTFS MOUNT_POINT [OPTION_OF_UNSHARE...]
#
# ROOTFS is only read: changes go to a tmpfs which the kernel drops together with the namespace.
# Standard input: "boot" or "halt", one a line. Standard output: "ready", "booted PID" (PID of the
# system's init as seen from here), "halted". A system booted again keeps its changes.
set -eu
rootfs=$1
state=$2
shift 2
here=$(dirname "$0")
unshare_pid=

mount -t tmpfs -o mode=700 tmpfs "$state"
mkdir "$state/upper" "$state/work" "$state/root" "$state/cgroup"
mount -t overlay -o "lowerdir=$rootfs,upperdir=$state/upper,workdir=$state/work" overlay "$state/root"
chmod 755 "$state/root"

# The system gets a subtree of our own control group, because init needs one that it may divide.
mount -t cgroup2 cgroup2 "$state/cgroup"
group=$state/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/rport-test-$$
mkdir "$group"

boot() {
  (
    echo 0 >"$group/cgroup.procs"
    exec setpriv --pdeathsig KILL \
      unshare --mount --uts --ipc --pid --cgroup --fork --kill-child "$@" \
      sh "$here/boot.sh" "$state/root"
  ) </dev/null &
  unshare_pid=$!
}

halt() {
  [ -n "$unshare_pid" ] || return 0
  kill -KILL "$unshare_pid" 2>/dev/null || true
  wait "$unshare_pid" 2>/dev/null || true
  unshare_pid=
  # The kernel is done when the processes, which die with init, have left the group.
  while grep -q 'populated 1' "$group/cgroup.events"; do sleep 0.02; done
}

finish() {
  halt
  find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
}
trap finish EXIT
trap '' INT HUP

echo ready
while read -r command; do
  case $command in
    boot) boot "$@" ;;
    halt) halt; echo halted ;;
  esac
done
