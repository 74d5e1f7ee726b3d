# shellcheck shell=sh disable=SC2034,SC2154 # the lists are used, and top is set, by the script that sources this
# SPDX-License-Identifier: GPL-2.0-or-later
# What check and quickstart share: the packages a Debian machine needs, installing what is missing, a copy of the sources.
# Sourced by a script that has set `top` to the source tree.

# To build and to run.
PACKAGES_BUILD="gcc make autoconf automake pkg-config libc6-dev libmnl-dev libnetfilter-conntrack-dev libnfnetlink-dev
    libjansson-dev libevent-dev libnftables-dev libsystemd-dev"
# For the demo: namespaces, rules, flows.
PACKAGES_DEMO="iproute2 nftables python3-minimal util-linux"
# For every test.
PACKAGES_TEST="git libcmocka-dev conntrack python3 python3-jsonschema mandoc shellcheck clang procps iputils-ping strace
    debhelper dpkg-dev lintian fakeroot systemd xz-utils fail2ban"

say() {
    printf '%s\n' "== $*"
}

# Services that come with a package for tests stay off: not started now, nor at the next boot. (A policy of this machine's own
# is left as it is.)
keep_services_off() { # begin | end PACKAGES
    case $1 in
    begin)
        [ ! -e /usr/sbin/policy-rc.d ] || return 0
        printf '#!/bin/sh\n# ctwarden check\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
        ;;
    end)
        ! grep -qs '^# ctwarden check$' /usr/sbin/policy-rc.d || rm -f /usr/sbin/policy-rc.d
        case " $2 " in *" fail2ban "*) systemctl disable fail2ban.service >/dev/null 2>&1 || : ;; esac
        ;;
    esac
}

# Installs those of the packages that are missing. Elsewhere than on Debian configure names what is missing.
install_packages() {
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0
    missing=
    for package in "$@"; do
        # shellcheck disable=SC2016 # dpkg-query expands it
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing packages:$missing" >&2
        echo "install them as root: apt-get install$missing" >&2
        return 1
    fi
    say "installing$missing"
    log=$(mktemp)
    keep_services_off begin
    # shellcheck disable=SC2086 # a list of packages
    if ! (apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends $missing) >"$log" 2>&1; then
        keep_services_off end "$missing"
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    keep_services_off end "$missing"
    rm -f "$log"
}

# Copies the sources (nothing generated, nothing built) to a directory, so that the tree stays as it is.
# Unchanged files keep their times: a second build only makes what has changed.
copy_sources() {
    mkdir -p "$1"
    (cd "$top" && tar -cf - --exclude=./build --exclude=./.git --exclude=./autom4te.cache --exclude=./config.status \
        --exclude=./Makefile --exclude=./Makefile.in --exclude=./configure --exclude=./aclocal.m4 \
        --exclude=__pycache__ .) | tar -xf - -C "$1"
}
