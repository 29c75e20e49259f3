# Code for a text file as an awk program makes it. Read by `gencode-remote` of the types that edit files.
# shellcheck shell=sh

parameter() { [ ! -f "$__object/parameter/$1" ] || cat "$__object/parameter/$1"; }

# edit FILE PROGRAM TEXT: the code, if FILE is to change. `$__object/explorer/file` says `present` or `absent`, then
# what is in it; the program's settings stand in `$__object/upload/settings`, NAME=VALUE on a line, its text in the
# file TEXT. The program runs here, to see whether there is anything to do, and on the target, on what is there then.
edit() {
    mkdir -p "$__object/upload" "$__object/plan"
    cp "$2" "$__object/upload/program"
    cp "$__type/../__edit/files/apply" "$__object/upload/apply"
    cat "$3" >"$__object/upload/text"
    sed 1d "$__object/explorer/file" >"$__object/plan/old"
    (cd "$__object/upload" && sh -e ./apply program settings text ../plan/old) >"$__object/plan/new"
    # A last line without its newline is no reason to change a file.
    if awk 1 "$__object/plan/old" | cmp -s - "$__object/plan/new" &&
        { [ ! -s "$__object/plan/new" ] || [ "$(sed -n 1p "$__object/explorer/file")" = present ]; }; then
        return 0
    fi
    printf '%s' "$1" >"$__object/upload/path"
    cp "$__object/upload/path" "$__object/plan/path"
    echo changed >>"$__messages_out"
    # The new text is written whole before the file is touched; the file keeps its owner, mode and links.
    cat <<'EOF'
cd "$__object/upload"
file=$(cat path)
[ -e "$file" ] || (umask 022 && : >"$file")
new=$file.hostbook.$$
trap 'rm -f "$new"' EXIT
(umask 077 && sh -e ./apply program settings text "$file" >"$new")
cat "$new" >"$file"
EOF
    parameter onchange
}

# settings NAME…: parameters of these names as settings of the program, those that are there.
settings() {
    mkdir -p "$__object/upload"
    for name; do
        [ ! -f "$__object/parameter/$name" ] || printf '%s\n' "$name=$(parameter "$name")"
    done >>"$__object/upload/settings"
}

# setting NAME VALUE: another one.
setting() {
    mkdir -p "$__object/upload"
    printf '%s\n' "$1=$2" >>"$__object/upload/settings"
}
