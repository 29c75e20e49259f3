# The objects of init.sh, for pyinfra.
from io import StringIO

from pyinfra.operations import files, server

for name in "abcde":
    files.directory(path=f"/srv/dir-{name}", mode="750")
for number in range(1, 11):
    files.put(src=StringIO(f"text of file {number}\n"), dest=f"/srv/dir-a/file-{number}", mode="640")
files.put(src=StringIO("key = value\n"), dest="/srv/dir-b/configuration")
for number in range(1, 5):
    files.link(path=f"/srv/dir-c/link-{number}", target=f"/srv/dir-a/file-{number}")
for number in range(1, 6):
    files.line(path=f"/etc/lines-{number}", line=f"this is line {number}")
files.line(path="/etc/settings", line="size=.*", replace="size=10")
for name in ("red", "green", "blue"):
    server.group(group=name)
for name in ("carol", "dave", "erin"):
    server.user(user=name, shell="/bin/sh", home=f"/home/{name}", create_home=False)
files.put(src=StringIO("welcome\n"), dest="/etc/motd")
files.put(src=StringIO("bench\n"), dest="/etc/hostname")
