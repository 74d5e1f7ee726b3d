#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves that the layers include only what tests/layers.txt allows, and that no line of C or of a shipped policy is wider than
# 120 columns (tabs of 8).
# usage: check-layers.sh [TREE]   (TREE has src/, include/ and tests/; default: the source tree of this script)
# Prints one line for each violation; exit 1 when there are some, 2 when there is nothing to check.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tree=${1:-$here/..}
cd "$tree"

files=$(find src include tests/unit -name '*.[ch]' 2>/dev/null | sort)
if [ -z "$files" ]; then
    echo "check-layers: no source files under $tree" >&2
    exit 2
fi

policies=$(find policies -name '*.json' ! -name '*.schema.json' 2>/dev/null | sort)
# Still wider in places; whoever rewraps one takes it out.
wide_still="src/action/evict_reserve.c|src/policy/memory.c"
all=$(find src include tests bench -name '*.[ch]' 2>/dev/null | grep -Evx "$wide_still" | sort)
is_wide=0
# shellcheck disable=SC2086 # file names have no blanks in this tree
awk '
function width(text,    n, i, count, part) {
    n = split(text, part, "\t")
    for (i = 1; i < n; i++) {
        count += length(part[i])
        count += 8 - count % 8
    }
    return count + length(part[n])
}
width($0) > 120 {
    printf "%s:%d: %d columns; 120 are the most\n", FILENAME, FNR, width($0)
    found = 1
}
END {
    exit found
}' $all $policies || is_wide=1

# shellcheck disable=SC2086 # file names have no blanks in this tree
awk '
function words(text, into,    list, n, i) {
    n = split(text, list, /[ \t]+/)
    for (i = 1; i <= n; i++)
        if (list[i] != "")
            into[list[i]] = 1
}
function glob_matches(glob, name) {
    if (substr(glob, length(glob)) == "*")
        return index(name, substr(glob, 1, length(glob) - 1)) == 1
    return glob == name
}
function violation(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    violations++
}
# The layer a file belongs to: src/LAYER/x.c, include/LAYER/x.h, tests/unit/test_LAYER_x.c
function layer_of(file,    part) {
    sub(/^\.\//, "", file)
    split(file, part, "/")
    if (part[1] == "tests") {
        sub(/^test_/, "", part[3])
        sub(/[_.].*$/, "", part[3])
        return part[3]
    }
    return part[2]
}
function check_layer(from, to) {
    if (!(to in layers))
        violation("\"" to "\" is no layer (tests/layers.txt)")
    else if (from != to && !((from, to) in may))
        violation("layer " from " may not include layer " to)
}
function check_header(from, is_test, name,    i, best) {
    best = 0
    for (i = 1; i <= headers; i++)
        if (glob_matches(glob[i], name) && (!best || length(glob[i]) > length(glob[best])))
            best = i
    if (!best)
        violation("<" name "> is not listed in tests/layers.txt")
    else if (!((best, "*") in users) && !((best, from) in users) && !(is_test && (best, "test") in users))
        violation("layer " from " may not include <" name ">")
}
FILENAME == rules {
    sub(/#.*/, "")
    if ($1 == "layer" || $1 == "header") {
        colon = index($0, ":")
        name = $2
        sub(/:$/, "", name)
        delete found
        words(substr($0, colon + 1), found)
        if ($1 == "layer") {
            layers[name] = 1
            for (word in found)
                may[name, word] = 1
        } else {
            glob[++headers] = name
            for (word in found)
                users[headers, word] = 1
        }
    } else if (NF) {
        violation("neither layer nor header: " $0)
    }
    next
}
FNR == 1 {
    checked++
    from = layer_of(FILENAME)
    is_test = FILENAME ~ /^(\.\/)?tests\//
    if (!(from in layers))
        violation("belongs to no layer of tests/layers.txt")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    # Without a slash it is a private header beside the file: of the same layer.
    # A unit test reaches the private headers of its own layer.
    if (is_test && index(quoted[2], "../../src/" from "/") == 1)
        next
    if (index(quoted[2], "..") > 0)
        violation("\"" quoted[2] "\": the include line names the layer, never ..")
    else if (index(quoted[2], "/") > 0)
        check_layer(from, substr(quoted[2], 1, index(quoted[2], "/") - 1))
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    name = $0
    sub(/^[^<]*</, "", name)
    sub(/>.*$/, "", name)
    check_header(from, is_test, name)
}
END {
    if (violations) {
        printf "check-layers: %d violations in %d files\n", violations, checked
        exit 1
    }
    printf "check-layers: %d files keep to the layers\n", checked
}' rules="$here/layers.txt" "$here/layers.txt" $files
exit "$is_wide"
