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
    debhelper dpkg-dev lintian fakeroot systemd xz-utils"

say() {
    printf '%s\n' "== $*"
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
    # shellcheck disable=SC2086 # a list of packages
    if ! (apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends $missing) >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
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
