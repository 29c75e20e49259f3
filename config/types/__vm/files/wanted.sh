# What the machine is to be, from the parameters or else from its entry in the inventory.
# shellcheck shell=sh disable=SC2034
. "$__type/../__edit/files/words.sh"
entry=${__inventory:-/nonexistent}/vm/$__object_id
case $__object_id in
    '' | *[!a-zA-Z0-9_.-]* | .*) fail "a machine's name has letters, digits, \`-\`, \`_\` and \`.\`" ;;
esac
# value NAME DEFAULT
value() {
    if given "$1"; then
        parameter "$1"
    elif [ -f "$entry/$1" ]; then
        cat "$entry/$1"
    else
        echo "$2"
    fi
}
number() { # NAME VALUE
    case $2 in
        '' | *[!0-9]*) fail "$1 is no number: $2" ;;
    esac
}

[ -d "$entry" ] || given nic ||
    fail "the inventory places no such machine on this host, and no --nic is given"
state=$(parameter state)
if [ -z "$state" ]; then
    case $(value state active) in
        planned | retired) state=stopped ;;
        *) state=running ;;
    esac
fi
case $state in running | stopped | absent) ;; *) fail "unknown state: $state" ;; esac

cpu=$(value cpu 1)
number cpu "$cpu"
memory=$(value memory $((1024 * 1024 * 1024)))
number memory "$memory"
memory=$((memory / 1048576))
firmware=$(value firmware bios)
case $firmware in bios | uefi) ;; *) fail "unknown firmware: $firmware" ;; esac

# A line per disk: name, octets. The one called `root` comes first, as it does in most machines.
disks=$(
    if given disk; then
        parameter disk | tr '=' ' '
    elif [ -d "$entry/disk" ]; then
        for disk in "$entry"/disk/root "$entry"/disk/*; do
            [ ! -f "$disk" ] || echo "$(basename "$disk") $(cat "$disk")"
        done | awk '!seen[$1]++'
    fi
)
# A line per interface, the first one first: hardware address, network, bridge.
nics=$(
    if given nic; then
        parameter nic | tr , ' '
    else
        {
            for nic in "$entry"/nic/*; do
                [ ! -f "$nic/mac" ] || echo "$(cat "$nic/mac") $(cat "$nic/network") $(cat "$nic/bridge")"
            done
        } | awk -v "first=$(cat "$entry/mac" 2>/dev/null)" '
            $1 == first { print; next }
            { rest = rest $0 "\n" }
            END { printf "%s", rest }'
    fi
)
[ -n "$nics" ] || [ "$state" != running ] ||
    fail "no interface has a hardware address: give the host one in the inventory (\`mac\`)"
# bridge NETWORK BRIDGE: as the parameters say, or else the inventory, or else it is called like the network.
bridge() {
    found=$(parameter bridge | sed -n "s/^$1=//p" | sed -n 1p)
    [ -n "$found" ] || found=$(parameter bridge | grep -v = | sed -n 1p)
    : "${found:=$2}"
    echo "${found:-$1}"
}
printf '%s\n' "$nics" | while read -r mac network bridge; do
    [ -z "$mac" ] || {
        plain 'a hardware address' "$mac"
        plain 'a network' "$network"
        plain 'a bridge' "$(bridge "$network" "$bridge")"
    }
done || exit 1
printf '%s\n' "$disks" | while read -r name size; do
    [ -z "$name" ] || { plain 'a disk' "$name" && number "the size of disk $name" "$size"; }
done || exit 1

host=$(sed -n 1p "$__object/explorer/is")
accel=$(parameter accel)
[ "$accel" != auto ] || accel=$(sed -n 2p "$__object/explorer/is")
plain accel "$accel"
directory=$(parameter directory)/$__object_id
