function trim(text) { gsub(/^[ \t]+|[ \t]+$/, "", text); return text }
# Whether `text` is a line with the key; its value is left in `is`.
function has_key(text,   rest, at) {
    if (substr(text, 1, length(key)) != key && !exact) text = trim(text)
    if (substr(text, 1, length(key)) != key) return 0
    rest = substr(text, length(key) + 1)
    if (exact) {
        if (substr(rest, 1, length(delimiter)) != delimiter) return 0
        is = substr(rest, length(delimiter) + 1)
        return 1
    }
    if (mark == "") {
        if (rest !~ /^[ \t]/) return 0
    } else {
        sub(/^[ \t]+/, "", rest)
        if (substr(rest, 1, length(mark)) != mark) return 0
        rest = substr(rest, length(mark) + 1)
    }
    is = trim(rest)
    return 1
}
# One line is held back: it may be the comment that belongs to the key in the next one.
function flush_held() { if (holds) print held; holds = 0 }
function hold(text) { flush_held(); held = text; holds = 1 }
function comment_is_held() { return comment != "" && holds && held == comment }
function entry() {
    if (comment != "" && !comment_is_held()) hold(comment)
    hold(key delimiter value)
    done = 1
}
BEGIN {
    key = ENVIRON["edit_key"]; value = ENVIRON["edit_value"]; delimiter = ENVIRON["edit_delimiter"]
    comment = ENVIRON["edit_comment"]; exact = ENVIRON["edit_exact"]; present = ENVIRON["edit_state"] == "present"
    mark = trim(delimiter)
}
!has_key($0) { hold($0); next }
present && !done && is == value { hold($0); done = 1; next }
present && !done { entry(); next }
comment_is_held() { holds = 0 }
END { if (present && !done) entry(); flush_held() }
