# What the text of a batch is made of. `d` is the private directory, `umask_login` the umask of the login.
# shellcheck shell=sh disable=SC2154

begin() {
    bad=
    umask 077
}
ok() { [ -z "$bad" ]; }
oops() {
    [ -n "$bad" ] || echo "X cannot write in $d"
    bad=1
}
P() { printf %s "$2" >"$d/$1" || oops; }
A() { printf %s "$2" >>"$d/$1" || oops; }
C() { printf %b "$2" >>"$d/$1" || oops; }
B() { printf %b "$2" >"$d/$1" || oops; }
ready() { umask "$umask_login"; }
F() { echo "F $1 $2"; }
end() {
    echo S
    (
        cd "$d/.r" || exit
        set -- *
        [ "$1" = '*' ] || wc -c "$@"
        echo .
        [ "$1" = '*' ] || { cat "$@"; rm -f "$@"; }
    )
}
