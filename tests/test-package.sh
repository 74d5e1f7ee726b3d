#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian package for real, runs its daemon as the unit says (own user, CAP_NET_ADMIN alone, in a network
# namespace of its own), removes and purges it, and sees that nothing is left.
# usage: test-package.sh DEB   (root, on a machine that may be thrown away; refused where ctwarden is installed already)
set -u
deb=$(realpath "${1:?usage: test-package.sh DEB}")
passed=0 failed=0
verify() { # NAME COMMAND...
    local name=$1; shift
    if "$@"; then passed=$((passed + 1)); echo "ok - $name"; else failed=$((failed + 1)); echo "FAILED: $name"; fi
}
wait_for() { # COMMAND...
    local end=$((SECONDS + 60))
    until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done
}
left() { # what there is of ctwarden on this machine, but for the source tree and logs
    find /etc /usr /lib/systemd /var/lib /run -xdev -iname '*ctwarden*' ! -path '/usr/src/*' \
        ! -name 'ctwarden-bench.*' ! -name 'ctwarden-host-limits.*' 2>/dev/null
    getent passwd ctwarden
    getent group ctwarden
}
if [ "$(id -u)" != 0 ] || [ -n "$(left)" ]; then
    echo "FAILED: root is needed, and a machine without ctwarden; here is:"
    left
    exit 1
fi
work=$(mktemp -d) daemon=
cleanup() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null
    rm -rf "$work"
    [ "$(dpkg-query -W -f '${db:Status-Status}' ctwarden 2>/dev/null)" = '' ] || dpkg -P ctwarden >/dev/null 2>&1
}
trap cleanup EXIT

verify "dpkg -i" dpkg -i "$deb"
verify "installed" test "$(dpkg-query -W -f '${db:Status-Status}' ctwarden)" = installed
verify "dpkg --verify has nothing to say" test -z "$(dpkg --verify ctwarden)"
verify "the user is there, without a shell" sh -c "getent passwd ctwarden | grep -q ':/var/lib/ctwarden:.*nologin$'"
verify "the group is there" getent group ctwarden
unit=/lib/systemd/system/ctwardend.service
verify "the unit is clean" systemd-analyze verify --man=no $unit
verify "the unit is enabled" test -L /etc/systemd/system/multi-user.target.wants/ctwardend.service
verify "the cleanup units are clean" systemd-analyze verify --man=no /lib/systemd/system/ctwarden-cleanup.timer
verify "the cleanup is not: it deletes" test ! -e /etc/systemd/system/timers.target.wants/ctwarden-cleanup.timer
verify "the config is good" ctwardend --check-config
verify "the manual pages are found" sh -c "zcat /usr/share/man/man8/ctwarden.8.gz /usr/share/man/man8/ctwardend.8.gz | grep -q ctwardend"

# ---- the daemon as the unit starts it ----
of_unit() { sed -n "s/^$1=//p" $unit; } # KEY
if [ -d /run/systemd/system ]; then
    verify "systemd has started it" wait_for systemctl is-active ctwardend
    systemctl stop ctwardend
fi
user=$(of_unit User) group=$(of_unit Group) caps=$(of_unit AmbientCapabilities)
install -d -o "$user" -g "$group" -m "$(of_unit RuntimeDirectoryMode)" "/run/$(of_unit RuntimeDirectory)"
install -d -o "$user" -g "$group" -m "$(of_unit StateDirectoryMode)" "/var/lib/$(of_unit StateDirectory)"
verify "one capability, bounded too" test "$caps $(of_unit CapabilityBoundingSet)" = "CAP_NET_ADMIN CAP_NET_ADMIN"
cap=net_admin
read -ra words <<<"$(of_unit ExecStart)"
# A listener in the place of systemd's: READY=1 must come.
python3 - "$work/notify" >"$work/notified" <<-'P' &
	import os, socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666)
	while True: print(s.recv(4096).decode(), flush=True)
P
notify=$!
chmod 755 "$work"
wait_for test -S "$work/notify"
# shellcheck disable=SC2016 # the inner shell expands it
NOTIFY_SOCKET=$work/notify unshare -n sh -c '
    ip link set lo up
    nft add table ip t
    nft add chain ip t o "{ type filter hook output priority 0; }"
    nft add rule ip t o ct state new accept
    umask 0027
    exec "$@"' start setpriv --reuid="$user" --regid="$group" --clear-groups --bounding-set=-all,+$cap \
    --inh-caps=-all,+$cap --ambient-caps=-all,+$cap --no-new-privs "${words[@]}" >"$work/out" 2>"$work/err" &
daemon=$!
verify "it tells systemd that it is ready" wait_for grep -q READY=1 "$work/notified"
in_status() { grep -Eq "$1" "/proc/$daemon/status"; }
verify "it runs as $user" in_status "^Uid:.$(id -u "$user").$(id -u "$user")"
verify "with CAP_NET_ADMIN alone" in_status '^CapEff:.0000000000001000$'
ask() { ctwarden -j "$@" >"$work/answer" 2>"$work/said"; } # by the default socket
as() { setpriv --reuid=65534 --regid=65534 "$@"; }
of_answer() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$work/answer" "$1"; }
listens() { ask status && of_answer 'd["view"] == "daemon" and d["events"]["listening"]'; }
verify "it answers, listening" wait_for listens
flows() { # made in its namespace
    nsenter --net="/proc/$daemon/ns/net" python3 -c 'import socket
for port in range(20000, 20100):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.2", port)); s.sendto(b"x", ("127.0.0.1", 9))'
}
verify "flows come" flows
ranked() { ask top && of_answer '[(r["key"], r["entries"]) for r in d["rows"]] == [("127.0.0.2", 100)] and not d["approximate"]'; }
verify "and are ranked" wait_for ranked
as --groups "$(getent group "$group" | cut -d: -f3)" ctwarden -j status >"$work/answer" 2>"$work/said"; r=$?
verify "a member of its group may ask" test $r = 0
as --clear-groups ctwarden --socket /run/ctwarden/ctwarden.sock -j status >"$work/answer" 2>"$work/said"; r=$?
verify "others may not: exit 3" test $r = 3
verify "alarms can be kept" sh -c "! grep -q 'not kept' '$work/err'"
verify "nothing to warn of" sh -c "! grep -qE 'cannot|granted' '$work/err'"
kill "$daemon"; wait "$daemon"; r=$?; daemon=
verify "SIGTERM ends it with 0" test $r = 0
verify "its socket is gone" test ! -e /run/ctwarden/ctwarden.sock
verify "it told systemd that it stops" wait_for grep -q STOPPING=1 "$work/notified"
kill $notify
cat "$work/err"
rm -rf /run/ctwarden # systemd's part

# ---- removed, purged ----
verify "dpkg -r" dpkg -r ctwarden
verify "the programs are gone, the config stays" test ! -e /usr/sbin/ctwardend -a -e /etc/ctwarden/ctwarden.json
verify "dpkg -P" dpkg -P ctwarden
verify "nothing is left" test -z "$(left)"
left
echo "$passed passed, $failed failed"
[ $failed = 0 ]
