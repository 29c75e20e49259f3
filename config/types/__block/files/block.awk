function block(   line) {
    print prefix
    while ((getline line < text) > 0) print line
    close(text)
    print suffix
    done = 1
}
BEGIN {
    prefix = ENVIRON["edit_prefix"] ""; suffix = ENVIRON["edit_suffix"] ""; text = ENVIRON["edit_text"]
    present = ENVIRON["edit_state"] == "present"
}
!inside && ($0 "") == prefix { inside = 1; if (present && !done) block(); next }
inside { if (($0 "") == suffix) inside = 0; next }
{ print }
END {
    if (inside) {
        print "the block that begins with `" prefix "` has no end: `" suffix "` is missing" | "cat 1>&2"
        exit 1
    }
    if (present && !done) block()
}
