# Keeps one line, known by the mark at its end.
BEGIN { line = ENVIRON["edit_line"]; mark = ENVIRON["edit_mark"]; present = ENVIRON["edit_state"] == "present" }
substr($0, length($0) - length(mark) + 1) == mark { if (present && !done) print line; done = 1; next }
{ print }
END { if (present && !done) print line }
