# A key is known by its type and its base-64 text, wherever in a line they stand.
function identity(text,   words, count, i) {
    count = split(text, words, /[ \t]+/)
    for (i = 1; i < count; i++)
        if (words[i] ~ /^(ssh-|ecdsa-|sk-)/ && words[i + 1] ~ /^AAAA/) return words[i] " " words[i + 1]
    return ""
}
BEGIN {
    present = ENVIRON["edit_state"] == "present"; only = ENVIRON["edit_only"] != ""
    count = split(ENVIRON["edit_text"], lines, "\n")
    for (i = 1; i <= count; i++) if (lines[i] != "") { id = identity(lines[i]); wanted[id] = lines[i]; order[++keys] = id }
}
{
    id = identity($0)
    if (id == "") { if (!only || $0 ~ /^#/) print }
    else if (id in wanted) { if (present && !(id in seen)) print wanted[id]; seen[id] = 1 }
    else if (!only) print
}
END { if (present) for (i = 1; i <= keys; i++) if (!(order[i] in seen)) { print wanted[order[i]]; seen[order[i]] = 1 } }
