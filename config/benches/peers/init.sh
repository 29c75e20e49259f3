# 34 objects, the same as in playbook.yml and deploy.py. __motd and __hostname define objects of their own.
for name in a b c d e; do
    __directory "/srv/dir-$name" --mode 0750
done
for number in 1 2 3 4 5 6 7 8 9 10; do
    echo "text of file $number" | require=__directory/srv/dir-a __file "/srv/dir-a/file-$number" --mode 0640 --source -
done
echo "key = value" | require=__directory/srv/dir-b __file /srv/dir-b/configuration --source -
for number in 1 2 3 4; do
    require="__file/srv/dir-a/file-$number __directory/srv/dir-c" \
        __link "/srv/dir-c/link-$number" --source "/srv/dir-a/file-$number" --type symbolic
done
for number in 1 2 3 4 5; do
    __line "line-$number" --file "/etc/lines-$number" --line "this is line $number"
done
__key_value size --file /etc/settings --key size --value 10 --delimiter =
for name in red green blue; do
    __group "$name"
done
for name in carol dave erin; do
    __user "$name" --shell /bin/sh --home "/home/$name"
done
echo welcome | __motd --source -
__hostname --name bench
