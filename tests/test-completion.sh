#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The bash completion offers every command, and every word of an option that takes one of a few.
if [ -z "${BASH_VERSION-}" ]; then # make runs tests with sh
    command -v bash >/dev/null || { echo "skipped: bash is not installed"; exit 77; }
    exec bash "$0"
fi
set -u
SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
PATH=${BIN:-$SRC}:$PATH
# shellcheck source=/dev/null
. "$SRC/dist/ctwarden.bash"
failed=0

same() { # NAME EXPECTED ACTUAL
    [ "$2" = "$3" ] && return
    echo "FAILED: $1: expected '$2', got '$3'"
    failed=1
}

offered() { # WORD...: what is offered for the last word
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _ctwarden
    echo "${COMPREPLY[*]}"
}

# What a wrong word is answered with names the right ones; the completion must know all of them.
right_words() { # COMMAND OPTION
    local more=()
    [ "$1" = flush ] && more=(-s 10.0.0.1 --limit 1)
    timeout 60 ctwarden "$1" "$2" no-such-word "${more[@]}" 2>&1 >/dev/null |
        sed -n 's/.*\(there are\|one of\) \([A-Za-z0-9, _-]*\).*/\2/p' |
        sed 's/ would be right.*//; s/ (.*//; s/ *$//' | tr -d , | tr ' ' '\n' | sort | tr '\n' ' '
}

for command in $(ctwarden --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'); do
    same "command $command" "$command" "$(offered ctwarden "$command" | tr ' ' '\n' | grep -xF "$command")"
done
same "an option by its beginning" "--by --bytes" "$(offered ctwarden top --by)"
same "modes" "observe act" "$(offered ctwarden mode '')"
same "policy's verbs" "check show explain test" "$(offered ctwarden policy '')"
same "what a test takes" "--from" "$(offered ctwarden policy test FILE --fr)"
files=$(mktemp -d)
mkdir "$files/mine"
touch "$files/README.md" "$files/a.json" "$files/b c.json" "$files/x.1.schema.json"
for words in "policy check" "policy test" "relieve --policy"; do
    # shellcheck disable=SC2086 # two words
    same "$words: policies and directories alone" "$files/a.json $files/b c.json $files/mine" "$(offered ctwarden $words "$files/")"
done
rm -r "$files"
for verb in check show explain; do
    same "policy $verb looks at no table" "" "$(offered ctwarden policy "$verb" FILE --fr)$(offered ctwarden policy "$verb" FILE --di)"
    same "nor does its help" "" "$(ctwarden policy "$verb" --help | grep -oE -e '--(from|capacity|growth|direct|socket)')"
done
for command in mode bans unban reload; do # it refuses it
    same "--direct for $command" "" "$(offered ctwarden "$command" --di)"
    same "--socket for $command" "--socket" "$(offered ctwarden "$command" --so)"
done
same "--direct where it works" "--direct" "$(offered ctwarden status --di)"
same "no daemon is asked for flows" "" "$(offered ctwarden flows --di)"
while read -r command option; do
    right=$(right_words "$command" "$option")
    [ -n "$right" ] || { echo "FAILED: $command $option: no words in its complaint"; failed=1; }
    same "$command $option" "$right" "$(offered ctwarden "$command" "$option" '' | tr ' ' '\n' | sort | tr '\n' ' ')"
done <<END
top --by
flows --sort
flush --order
events --events
flows --class
flows --status
END
exit $failed
