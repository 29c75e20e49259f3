# Code for a text file as an awk program makes it. Read by `gencode-remote` of the types that edit files.
# shellcheck shell=sh
. "$__type/../__edit/files/words.sh"

# edit FILE PROGRAM TEXT: the code, if FILE is to change. `$__object/explorer/file` says `present` or `absent`, then
# what is in it; the program's settings stand in `$__object/upload/settings`, NAME=VALUE on a line, its text in the
# file TEXT. The program runs here, to see whether there is anything to do, and on the target, on what is there then.
edit() {
    case $1 in
        /*) one_line 'the path' "$1" ;;
        *) fail "the path of the file does not begin with a slash: $1" ;;
    esac
    mkdir -p "$__object/upload" "$__object/plan"
    cat "$2" >"$__object/upload/program"
    cat "$__type/../__edit/files/apply" >"$__object/upload/apply"
    cat "$3" >"$__object/upload/text"
    sed 1d "$__object/explorer/file" >"$__object/plan/old"
    sh -e "$__object/upload/apply" "$__object/upload" "$__object/plan/old" >"$__object/plan/new"
    # A last line without its newline is no reason to change a file.
    if awk 1 "$__object/plan/old" | cmp -s - "$__object/plan/new" &&
        { [ ! -s "$__object/plan/new" ] || [ "$(sed -n 1p "$__object/explorer/file")" = present ]; }; then
        return 0
    fi
    printf '%s' "$1" >"$__object/upload/path"
    cp "$__object/upload/path" "$__object/plan/path"
    message changed
    # The new text is whole before the file is touched. Where the directory is nobody else's, the file keeps its inode
    # and links are followed; elsewhere it is replaced, with its owner and mode, and must be no link.
    cat <<'EOF'
(
path=$(cat "$__object/upload/path")
apply() { sh -e "$__object/upload/apply" "$__object/upload" "$1"; }
cd -P -- "${path%/*}/"
name=./${path##*/}
set -- $(ls -ldn .)
case "$1 $3" in d????-??-*" $(id -u)") own=1 ;; *) own= ;; esac
if [ -n "$own" ]; then
    [ -e "$name" ] || (umask 022 && : >"$name")
    (umask 077 && apply "$name" >"$__object/new")
    cat "$__object/new" >"$name"
    exit
fi
EOF
    beside
    cat <<'EOF'
if [ -h "../$name" ] || [ -e "../$name" ]; then
    # A copy, which nobody can exchange for a link.
    cp -pP "../$name" old
    if [ -h old ] || [ ! -f old ]; then
        echo "$path is no file, in a directory where others may write" >&2
        exit 1
    fi
    is=$(stat -c '%u:%g %a' old 2>/dev/null || stat -f '%u:%g %Lp' old)
    apply old >content
    chown "${is% *}" content
    chmod "${is#* }" content
else
    apply /dev/null >content
    chmod 644 content
fi
mv -f content "../$name"
)
EOF
    parameter onchange
}

# settings NAME…: parameters of these names as settings of the program, those that are there.
settings() {
    for name; do
        ! given "$name" || setting "$name" "$(parameter "$name")"
    done
}

# setting NAME VALUE: another one.
setting() {
    one_line "--$1" "$2"
    mkdir -p "$__object/upload"
    printf '%s\n' "$1=$2" >>"$__object/upload/settings"
}
