# Keeps keys in a file. A key is itself whatever options and comment it has.
BEGIN {
    present = ENVIRON["edit_state"] == "present"; only = ENVIRON["edit_only"] != ""
    while ((getline line < ENVIRON["edit_text"]) > 0)
        if (take_apart(line)) { id = kind " " key; wanted[id] = line; order[++keys] = id }
}
!take_apart($0) { if (!only || $0 ~ /^[ \t]*(#|$)/) print; next }
{ id = kind " " key }
id in wanted { if (present && !(id in seen)) print wanted[id]; seen[id] = 1; next }
!only { print }
END { if (present) for (i = 1; i <= keys; i++) if (!(order[i] in seen)) { print wanted[order[i]]; seen[order[i]] = 1 } }
