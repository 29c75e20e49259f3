# What scripts that generate code have in common. Read by `gencode-remote` and `manifest` of the standard types.
# shellcheck shell=sh

# parameter NAME: its value; nothing if it is not there.
parameter() { [ ! -f "$__object/parameter/$1" ] || cat "$__object/parameter/$1"; }

# given NAME: whether the parameter is there.
given() { [ -f "$__object/parameter/$1" ]; }

# message TEXT: for those that wait for this object.
message() { printf '%s\n' "$1" >>"$__messages_out"; }

# word TEXT: as one word of a shell, an empty text too.
word() {
    word=$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")
    printf "'%s'" "$word"
}

# code TEXT…: a line of code. `echo` makes something else of a backslash in some shells.
code() { printf '%s\n' "$*"; }

# fail TEXT: the object cannot be what is asked for.
fail() {
    printf '%s %s: %s\n' "${__type##*/}" "$__object_id" "$1" >&2
    exit 1
}

# one_line WHAT TEXT: refuses a text of several lines, where one would end up as others than are meant.
one_line() {
    case $2 in
        *'
'*) fail "$1 has more than one line" ;;
    esac
}

# plain WHAT TEXT: refuses what does not consist of the characters of a name, or could be an option.
plain() {
    case $2 in
        '' | -* | *[!a-zA-Z0-9_.@:+-]*) fail "$1 has characters that it cannot have, or none: $2" ;;
    esac
}

# numeric_mode MODE IS: a mode in octal digits without leading zeros; `u=rw,go=r` is applied to the mode IS.
numeric_mode() {
    case $1 in
        '') ;;
        *[!0-7]*)
            : >"$__object/mode"
            { chmod -- "$2" "$__object/mode" && chmod -- "$1" "$__object/mode"; } || fail "no mode: $1"
            stat -c %a "$__object/mode" 2>/dev/null || stat -f %Lp "$__object/mode"
            rm -f "$__object/mode"
            ;;
        *) printf %o "0$1" ;;
    esac
}

# told OBJECT: whether the object, which this one requires or has made, left a message.
told() {
    TOLD="$1:" awk 'index($0, ENVIRON["TOLD"]) == 1 { found = 1 } END { exit !found }' "$__messages_in"
}

# beside: code that goes into a private directory beside the file "$path". It is what the file will be made of,
# on the same file system, and nobody else can lay a link in its way, whoever the directory belongs to.
beside() {
    cat <<'EOF'
cd -P -- "${path%/*}/"
name=${path##*/}
beside=$(mktemp -d ./.hostbook.XXXXXXXXXX)
trap 'cd -P .. && rm -rf "$beside"' EXIT
cd -P "$beside"
set -- $(ls -ldn .)
case "$1 $3" in
    drwx------*" $(id -u)") ;;
    *)
        echo "somebody else works in the directory of $path" >&2
        exit 1
        ;;
esac
umask 077
set -C
EOF
}
