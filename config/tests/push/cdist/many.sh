# The manifest of the long comparison with cdist: at least 40 objects over at least 35 of its types.
# $STUFF is a directory with a git repository and an archive, at the same place on both sides.
__file /srv/here
__directory /srv/tree --mode 0750 --parents
require="__directory/srv/tree" __file /srv/tree/script --mode 0755 --source - <<EOF
#!/bin/sh
echo 'quoted "text"'
EOF
require="__directory/srv/tree" __file /srv/tree/empty --owner nobody --group nogroup
require="__file/srv/tree/empty" __link /srv/tree/link --source empty --type symbolic
require="__file/srv/here" __line greeting --file /srv/here --line "one line"
require="__line/greeting" __block numbers --file /srv/here --text - <<EOF
1
2
EOF
require="__block/numbers" __key_value size --file /srv/here --key size --value 10 --delimiter =
require="__key_value/size" __sed size --file /srv/here --script 's/^size=10$/size=11/'
require="__directory/srv/tree" __config_file /srv/tree/configuration --source - --onchange "echo changed >>/srv/changes" <<EOF
a = b
EOF
__group wheels --gid 1234
__user carol --uid 1235 --gid 100 --shell /bin/sh --home /home/carol --create-home
require="__user/carol __group/wheels" __user_groups carol --group wheels
require="__user/carol" __ssh_dot_ssh carol
require="__ssh_dot_ssh/carol" __ssh_authorized_keys carol --key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHb2o7nBbFGzJqjAyxAfBcuzkMtAzMyVFWw2SiGsX2aB one"
require="__user/carol" __dot_file carol-profile --user carol --source - <<EOF
export EDITOR=vi
EOF
__hostname --name oracle
__timezone --tz Europe/Zurich
__motd --source - <<EOF
welcome
EOF
__issue --source - <<EOF
issue
EOF
__hosts one --ip 192.0.2.1 --alias uno
require="__hosts/one" __hosts two --ip 192.0.2.2
__locale_system LANG --value C.UTF-8
__apt_source here --uri http://127.0.0.1:1/debian --distribution bookworm --component main
__apt_norecommends
__apt_default_release --release bookworm
__apt_pin stable --distribution stable --priority 900 --package '*'
__package coreutils
__package no-such-package --state absent
__dpkg_architecture amd64
__mount /mnt/disk --device /dev/nowhere --type ext4 --nofstab --state absent
__sshd_config PermitTunnel --value no
__iptables_rule policy --rule "-A INPUT -j ACCEPT" --state absent
__ccollect_source backup --source /srv --destination /mnt --ccollectconf /etc/ccollect
__git /srv/checkout --source "$STUFF/repository"
__clean_path clean --path /var/cache/clean --pattern '.*\.old'
__unpack "$STUFF/archive.tar" --destination /srv/unpacked --preserve-archive
__process sshd --state present --start true
__pacman_conf own --section options --key Color --value yes
__check_messages seen --pattern "^__motd" --execute "echo seen >/srv/seen"
__cron job --user root --command "true" --hour 3 --state absent
__cdistmarker --destination /srv/marker --format +%Y
__rsync /srv/synced --source "$STUFF/repository/file"
__staged_file /srv/staged --source "$STUFF/repository/file" --fetch-command "cat '%s'" --cksum "$(cksum <"$STUFF/repository/file") file"
__debconf_set_selections own --line "own own/question string answer"
__apt_mark coreutils --state unhold
__apt_key none --state absent
__sensible_editor root --editor vim.basic
__hwclock --mode UTC
