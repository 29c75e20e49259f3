# Keeps one line for a mount point.
BEGIN { line = ENVIRON["edit_line"]; path = ENVIRON["edit_path"]; present = ENVIRON["edit_state"] == "present" }
$1 !~ /^#/ && $2 == path { if (present && !done) print line; done = 1; next }
{ print }
END { if (present && !done) print line }
