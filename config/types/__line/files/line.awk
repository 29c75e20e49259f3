# Texts that look like numbers are compared as texts, hence the empty ones.
function is_it(text) {
    if (regex != "" && text ~ regex) return 1
    return (regex == "" || state != "absent") && (text "") == (line "")
}
BEGIN {
    line = ENVIRON["edit_line"]; regex = ENVIRON["edit_regex"]; state = ENVIRON["edit_state"]
    after = ENVIRON["edit_after"]; before = ENVIRON["edit_before"]
}
is_it($0) {
    if (state == "absent") next
    if (state == "replace") {
        if (found++) next
        $0 = line
    }
    found = 1
}
{
    text[++count] = $0
    if (after != "" && $0 ~ after) { place = count; placed = 1 }
    if (before != "" && !placed && $0 ~ before) { place = count - 1; placed = 1 }
}
END {
    if (!placed) place = count + 0
    for (i = 0; i <= count; i++) {
        if (i) print text[i]
        if (i == place && !found && state != "absent") print line
    }
}
