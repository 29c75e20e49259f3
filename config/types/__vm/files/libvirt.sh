# Prints the machine's definition for libvirt.
# shellcheck shell=sh disable=SC2154
echo "<domain type='$(if [ "$accel" = kvm ]; then echo kvm; else echo qemu; fi)'>"
echo "  <name>$__object_id</name>"
echo "  <memory unit='MiB'>$memory</memory>"
echo "  <vcpu>$cpu</vcpu>"
if [ "$firmware" = uefi ]; then echo "  <os firmware='efi'>"; else echo "  <os>"; fi
echo "    <type arch='x86_64' machine='q35'>hvm</type>"
echo "  </os>"
echo "  <features><acpi/><apic/></features>"
echo "  <devices>"
at=0
printf '%s\n' "$nics" | while read -r mac network bridge; do
    [ -n "$mac" ] || continue
    at=$((at + 1))
    echo "    <interface type='bridge'><mac address='$mac'/><source bridge='$(bridge "$network" "$bridge")'/><model type='virtio'/><boot order='$at'/></interface>"
done
at=100 letter=$(printf '\141')
printf '%s\n' "$disks" | while read -r name _; do
    [ -n "$name" ] || continue
    at=$((at + 1))
    echo "    <disk type='file' device='disk'><driver name='qemu' type='raw' discard='unmap'/><source file='$directory/$name.raw'/><target dev='vd$letter' bus='virtio'/><serial>$name</serial><boot order='$at'/></disk>"
    letter=$(echo "$letter" | tr a-y b-z)
done
echo "    <serial type='pty'/><console type='pty'/>"
echo "    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
echo "  </devices>"
echo "</domain>"
