# Takes a line of authorized_keys apart as sshd(8) does: options, if there are any, then the key's type, the key, and a
# comment. Blanks between double quotes belong to an option. What types there are does not matter: a key is known by
# the base-64 text that all of them begin with. 1 if the line has one.
function take_apart(line,   at, char, quoted, rest) {
    gsub(/^[ \t]+|[ \t\r]+$/, "", line)
    options = ""
    if (line ~ /^#/) return 0
    if (!is_key(line)) {
        for (at = 1; at <= length(line); at++) {
            char = substr(line, at, 1)
            if (char == "\\" && substr(line, at + 1, 1) == "\"") { at++; continue }
            if (char == "\"") quoted = !quoted
            if (!quoted && (char == " " || char == "\t")) break
        }
        options = substr(line, 1, at - 1)
        line = substr(line, at)
        sub(/^[ \t]+/, "", line)
        if (!is_key(line)) return 0
    }
    kind = line
    sub(/[ \t].*/, "", kind)
    rest = substr(line, length(kind) + 1)
    sub(/^[ \t]+/, "", rest)
    key = rest
    sub(/[ \t].*/, "", key)
    comment = substr(rest, length(key) + 1)
    sub(/^[ \t]+/, "", comment)
    return 1
}
function is_key(text) { return text ~ /^[a-zA-Z0-9@.-]+[ \t]+AAAA[A-Za-z0-9+\/=]+([ \t]|$)/ }
