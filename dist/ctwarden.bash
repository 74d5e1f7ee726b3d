# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion of ctwarden and ctwardend: made from their own --help, so that it never lags behind.

_ctwarden_words() { # COMMAND...: the options in a help text
    "$@" 2>/dev/null | grep -oE -e '^ +(-[a-zA-Z], +|    )?--[a-z][a-z-]+' -e ', --[a-z][a-z-]+' | grep -oE -e '--[a-z-]+'
}

_ctwarden_policies() { # START: directories and policies, not what is for editors
    {
        compgen -d -- "$1"
        compgen -f -X '!*.json' -- "$1" | grep -v '\.schema\.json$'
    } | sort -u
}

_ctwarden() {
    local cur prev command='' word words i
    cur=${COMP_WORDS[COMP_CWORD]}
    prev=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $prev in
    --by) words="source prefix destination service class state zone mark reply-source" ;;
    --class) words="unreplied half-open pickup closing replied stream established offloaded other" ;;
    --sort) words="timeout bytes packets idle src dst" ;;
    --events | -e) words="new update destroy" ;;
    --family | -f) words="ipv4 ipv6" ;;
    --protocol | -p) words="tcp udp icmp icmpv6 sctp dccp gre" ;;
    --status | -u) words="assured seen-reply unset expected confirmed src-nat dst-nat dying fixed-timeout helper offload hw-offload" ;;
    --state) words="SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE" ;;
    --mode) words="observe act" ;;
    --order) words="idle youngest heaviest" ;;
    --policy)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(_ctwarden_policies "$cur")
        return
        ;;
    --socket | --config | --from)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --state-dir | --proofs)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    *)
        if [[ ${COMP_WORDS[0]##*/} == ctwardend ]]; then
            words=$(ctwardend --help 2>/dev/null | grep -oE -e '--[a-z][a-z-]+')
        else
            for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                case $word in
                --socket) i=$((i + 1)) ;;
                -*) ;;
                *)
                    command=$word
                    break
                    ;;
                esac
            done
            if [[ -z $command || ($command == help && $prev == help) ]]; then
                words="$(ctwarden --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p') help"
                [[ $cur == -* ]] && words="--socket --direct --json --json-pretty --help --version"
            elif [[ $command == policy && $prev == policy ]]; then
                words="check show explain test"
            elif [[ $command == mode && $prev == mode && $cur != -* ]]; then
                words="observe act"
            elif [[ $command == policy && $cur != -* ]]; then
                compopt -o filenames 2>/dev/null # a slash behind a directory, and no blank
                mapfile -t COMPREPLY < <(_ctwarden_policies "$cur")
                return
            elif [[ $command == policy ]]; then
                word=${COMP_WORDS[i + 1]}
                [[ $word == check || $word == show || $word == explain || $word == test ]] || word='test'
                words=$(_ctwarden_words ctwarden policy "$word" --help)
            else
                words=$(_ctwarden_words ctwarden "$command" --help)
            fi
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _ctwarden ctwarden ctwardend
