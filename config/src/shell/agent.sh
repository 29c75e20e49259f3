# The shell that stays on the target for one run. It reads frames from its standard input: a line with
# a number of octets, then that many octets of shell text, which it runs with the functions below.
# Everything it writes on disk lies in one private directory, which goes when it ends, however it ends.
# `n` (a random name), `bases` (where the directory may lie), `memory` (whether it must be in memory) and
# `wait_max` (seconds to wait for another run) are set in front of this text.
# shellcheck shell=sh disable=SC2154,SC1091

d=
lock=
umask_login=$(umask)
clean() {
    cd / || :
    [ -z "$d" ] || rm -rf "$d"
    [ -z "$lock" ] || rm -rf "$lock"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM PIPE

# Reading exactly as many octets as a frame has, and not one of the next.
if [ "$(printf 'abc\n' | { head -c 1 >/dev/null 2>&1; cat; } 2>/dev/null)" = bc ]; then
    recv() { head -c "$1"; }
elif [ "$(printf 'abc\n' | { dd bs=1 count=1 iflag=fullblock >/dev/null 2>&1; cat; })" = bc ]; then
    recv() { dd bs="$1" count=1 iflag=fullblock 2>/dev/null; }
else
    recv() { dd bs=1 count="$1" 2>/dev/null; }
fi

# A private directory in a place where programs may be executed.
umask 077
for base in $bases; do
    if [ -n "$memory" ]; then
        case $(stat -f -c %T "$base" 2>/dev/null) in tmpfs | ramfs) ;; *) continue ;; esac
    fi
    mkdir "$base/$n" 2>/dev/null || continue
    printf '#!/bin/sh\nexit 0\n' >"$base/$n/x" 2>/dev/null && chmod 700 "$base/$n/x" && "$base/$n/x" 2>/dev/null && {
        d=$base/$n
        break
    }
    rm -rf "${base:?}/$n"
done
[ -n "$d" ] || {
    echo "hostbook-agent no directory${memory:+ in memory, which secrets need,} for temporary files: tried $bases"
    exit 1
}

# One run at a time. The lock holds the number of the process that has it.
waited=0
until mkdir "$base/hostbook-config.lock" 2>/dev/null; do
    holder=$(cat "$base/hostbook-config.lock/pid" 2>/dev/null)
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
        rm -rf "$base/hostbook-config.lock"
        continue
    fi
    [ "$waited" -lt "$wait_max" ] || {
        echo "hostbook-agent another run is under way on this host (process ${holder:-unknown}, $base/hostbook-config.lock)"
        exit 1
    }
    waited=$((waited + 1))
    sleep 1
done
lock=$base/hostbook-config.lock
echo $$ >"$lock/pid"
mkdir "$d/.r"
umask "$umask_login"

echo "hostbook-agent ready $d"
while read -r size; do
    umask 077
    recv "$size" >"$d/.f" || {
        printf 'X cannot write in %s\nS\n.\n' "$d"
        exit 1
    }
    umask "$umask_login"
    . "$d/.f"
done
