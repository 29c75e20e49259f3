function is_it(text) { return regex != "" ? text ~ regex : text == line }
BEGIN {
    line = ENVIRON["edit_line"]; regex = ENVIRON["edit_regex"]; state = ENVIRON["edit_state"]
    after = ENVIRON["edit_after"]; before = ENVIRON["edit_before"]
}
state == "replace" { print (regex != "" && $0 ~ regex) ? line : $0; next }
state == "absent" { if (!is_it($0)) print; next }
{
    text[++count] = $0
    if (is_it($0)) found = 1
    if (after != "" && $0 ~ after) place = count
    if (before != "" && !place && $0 ~ before) place = count - 1
    if (before != "" && $0 ~ before && !seen) { seen = 1; place = count - 1 }
}
END {
    if (state != "present") exit
    if (!after && !before || !place && !seen) place = count + 0
    for (i = 0; i <= count; i++) {
        if (i) print text[i]
        if (i == place && !found) print line
    }
}
