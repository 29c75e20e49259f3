# Makes the lines for the keys that are asked for: all options, the key, and its comment or the one that is given.
!take_apart($0) {
    print "no public key: " $0 | "cat 1>&2"
    exit 1
}
{
    all = ENVIRON["OPTIONS"]
    if (options != "") all = (all != "" ? all "," : "") options
    if (ENVIRON["COMMENT"] != "") comment = ENVIRON["COMMENT"]
    print (all != "" ? all " " : "") kind " " key (comment != "" ? " " comment : "")
}
