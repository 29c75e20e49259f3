# Everything that a private root can show.
__directory /srv/tree --mode 0750 --parents
require="__directory/srv/tree" __file /srv/tree/script --mode 0755 --owner nobody --group nogroup --source - <<'EOF'
#!/bin/sh
echo "it's"
EOF
printf 'a\0b\1\377%%s\n' | require="__directory/srv/tree" __file /srv/tree/binary --source -
require="__directory/srv/tree" __link /srv/tree/link --source script --type symbolic
require="__directory/srv/tree __file/srv/tree/binary" __link /srv/tree/hard --source /srv/tree/binary --type hard
__file /srv/gone --state absent
__line greeting --file /etc/greeting --line "it's one line"
require="__line/greeting" __line second --file /etc/greeting --line "second \1 & line" --after "^it's"
require="__line/second" __line zero --file /etc/greeting --line zero --before "^it's"
require="__line/zero" __line old --file /etc/lines --regex "^old" --state absent
require="__line/old" __line swap --file /etc/lines --regex "^swap" --line swapped --state replace
__block numbers --file /etc/lines2 --text - <<EOF
1
2
EOF
require="__block/numbers" __block out --file /etc/lines2 --text x --state absent
__key_value size --file /etc/settings --delimiter " = " --value 10 --comment "# why"
require="__key_value/size" __key_value gone --file /etc/settings --delimiter = --state absent
require="__key_value/gone" __key_value Port --file /etc/settings --delimiter " " --value 22
__group wheels --gid 1234
require="__group/wheels" __user carol --uid 1235 --gid wheels --shell /bin/sh --home /home/carol --create-home --groups users,audio --comment "Carol"
__user dave
__locale C.UTF-8
__locale xx_XX.UTF-8 --state absent
__locale_system LANG --value C.UTF-8
require="__user/carol" __ssh_authorized_keys carol --option no-pty --key "ssh-ed25519 AAAAone first" --key "ssh-ed25519 AAAAtwo second"
__hostname --name own
__timezone --tz Europe/Zurich
echo welcome | __motd --source -
__hosts db --ip 192.0.2.1 --alias db.example.org --alias sql
__mount /mnt/data --device /dev/vdz --type ext4 --options noauto --state absent
__package coreutils
__package no-such-package-at-all --state absent
__apt_source here --uri http://127.0.0.1:1/debian --component main --state absent
