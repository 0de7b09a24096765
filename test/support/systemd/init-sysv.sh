#!/bin/sh
# The first process of a test system with the older init: its pipe is there, and it starts what the
# links of runlevel 2 say. Then it waits for orphans for ever.
mkfifo -m 600 /run/initctl
for script in /etc/rc2.d/S*rport; do
  [ ! -x "$script" ] || "$script" start
done
echo ready >/run/ready
trap : CHLD
while :; do
  sleep 3600 &
  wait
done
