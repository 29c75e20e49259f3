# Prints the program that starts the machine by QEMU alone.
# shellcheck shell=sh disable=SC2154
cat <<END
#!/bin/sh
# Starts the virtual machine $__object_id. hostbook wrote this, from the inventory.
set -eu
cd $(word "$directory")
tap() { # INTERFACE BRIDGE
    ip link show dev "\$1" >/dev/null 2>&1 || ip tuntap add dev "\$1" mode tap
    ip link set dev "\$1" master "\$2" up
}
END
printf '%s\n' "$nics" | while read -r mac network bridge; do
    [ -z "$mac" ] || echo "tap hb$(echo "$mac" | tr -d :) $(bridge "$network" "$bridge")"
done
if [ "$firmware" = uefi ]; then
    # shellcheck disable=SC2016
    echo '[ -e variables ] || cp /usr/share/OVMF/OVMF_VARS_4M.fd variables'
fi
# The arguments of the program are the only list of words that a shell has.
echo "set -- \"\$@\" -name guest=$__object_id,process=hostbook-vm"
add() { code "set -- \"\$@\" $*"; }
if [ "$accel" = kvm ]; then model=host; else model=max; fi
add -machine q35 -accel "$accel" -cpu "$model" -smp "$cpu" -m "$memory"
add -nodefaults -display none -pidfile pid
add -chardev socket,id=console,path=console,server=on,wait=off -serial chardev:console
add -chardev socket,id=monitor,path=monitor,server=on,wait=off -mon chardev=monitor,mode=readline
add -device virtio-rng-pci
if [ "$firmware" = uefi ]; then
    add -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd
    add -drive if=pflash,format=raw,file=variables
fi
at=0
printf '%s\n' "$nics" | while read -r mac _; do
    [ -n "$mac" ] || continue
    at=$((at + 1))
    add -netdev "tap,id=nic$at,ifname=hb$(echo "$mac" | tr -d :),script=no,downscript=no"
    # The network comes first, as with hardware: whether the disk is started from is said there.
    add -device "virtio-net-pci,netdev=nic$at,mac=$mac,bootindex=$at"
done
at=100
printf '%s\n' "$disks" | while read -r name _; do
    [ -n "$name" ] || continue
    at=$((at + 1))
    add -drive "file=$name.raw,format=raw,if=none,id=disk-$name,discard=unmap"
    add -device "virtio-blk-pci,drive=disk-$name,serial=$name,bootindex=$at"
done
parameter option | while IFS= read -r option; do
    add "$(word "$option")"
done
# shellcheck disable=SC2016
echo 'exec qemu-system-x86_64 "$@"'
