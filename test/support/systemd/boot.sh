#!/bin/sh
# Boots the mounted root file system $1 with its own init as PID 1. Must already run as PID 1 of new
# mount, PID, UTS, IPC and control group namespaces (see supervise.sh). Prints "booted PID", where
# PID counts outside of the new PID namespace, then becomes init.
set -eu
root=$1

# /proc still belongs to the outer PID namespace, so it knows us by the outer number.
read -r outer_pid _ </proc/self/stat

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
# The kernel's settings are everybody's, so they stay as the machine has them.
for file in sys sysrq-trigger; do
  [ -e "$root/proc/$file" ] || continue
  mount --bind "$root/proc/$file" "$root/proc/$file"
  mount -o remount,bind,ro "$root/proc/$file"
done
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
: >"$root/dev/console"

hostname rport-test
cd "$root"
pivot_root . mnt
echo "booted $outer_pid"

# Masked: the console, which is a plain file here, the kernel's debugging interfaces, and the timers
# that would change the tree or load packages while a test compares it.
# shellcheck disable=SC2016 # the inner shell is the one to expand
exec chroot . /bin/sh -c 'umount -l /mnt && exec env -i container=other \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /sbin/init "$@"' init \
  systemd.mask=console-getty.service \
  systemd.mask=sys-kernel-debug.mount \
  systemd.mask=sys-kernel-tracing.mount \
  systemd.mask=apt-daily.timer \
  systemd.mask=apt-daily-upgrade.timer \
  systemd.mask=dpkg-db-backup.timer \
  systemd.mask=e2scrub_all.timer \
  systemd.mask=fstrim.timer \
  </dev/null >/dev/console 2>&1
