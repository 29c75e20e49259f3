function block() { printf "%s\n%s%s\n", prefix, text, suffix; done = 1 }
BEGIN {
    prefix = ENVIRON["edit_prefix"]; suffix = ENVIRON["edit_suffix"]; text = ENVIRON["edit_text"]
    present = ENVIRON["edit_state"] == "present"
    if (text != "" && text !~ /\n$/) text = text "\n"
}
$0 == prefix { inside = 1; if (present && !done) block(); next }
inside { if ($0 == suffix) inside = 0; next }
{ print }
END { if (present && !done) block() }
