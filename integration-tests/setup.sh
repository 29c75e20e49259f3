#!/bin/sh
# setup.sh arm64|bench|build|demo|fuzz|test: installs (apt) what is missing for it; touches nothing if nothing is.
set -eu
purpose=${1:-test}
rust_wanted=1.90
# Debian's ordinary users do not have these on their path, nor fresh logins rustup's.
PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin

missing=
program() { # NAME PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

program make make
program cc gcc
[ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
case $purpose in
    bench) program valgrind valgrind ;;
    fuzz) program c++ g++ ;;
    arm64)
        program qemu-system-aarch64 qemu-system-arm
        [ -e /usr/share/AAVMF/AAVMF_CODE.fd ] || missing="$missing qemu-efi-aarch64"
        [ -e /usr/lib/debian-installer/images/12/arm64 ] || missing="$missing debian-installer-12-netboot-arm64"
        ;;
    demo | test)
        program unshare util-linux
        program ip iproute2
        program udhcpc udhcpc
        # For the machine of the second act.
        program qemu-system-x86_64 qemu-system-x86
        [ -e /usr/lib/ipxe/qemu/pxe-virtio.rom ] || missing="$missing ipxe-qemu"
        program git git
        ;;
esac
if [ "$purpose" = bench ]; then
    program curl curl
    program unshare util-linux
    program ip iproute2
    program in.tftpd tftpd-hpa
    program dnsmasq dnsmasq-base
    program nginx nginx-light
    program knotd knot
    program nsd nsd
    program named bind9
    program dig bind9-dnsutils
    program openssl openssl
    program pdns_server "pdns-server pdns-backend-bind"
    program kea-dhcp4 kea-dhcp4-server
    program dhcpd isc-dhcp-server
fi
if [ "$purpose" = test ]; then
    program dhclient isc-dhcp-client
    program dhcpcd dhcpcd-base
    program dhcrelay isc-dhcp-relay
    program rdisc6 ndisc6
    program radvdump radvdump
    program kea-dhcp4 kea-dhcp4-server
    program kea-dhcp6 kea-dhcp6-server
    program dig bind9-dnsutils
    program host bind9-host
    program kdig knot-dnsutils
    program drill ldnsutils
    program nsd nsd
    program knotd knot
    program named bind9
    program unbound unbound
    program kzonecheck knot-dnssecutils
    program setpriv util-linux
    program dnsmasq dnsmasq-base
    program kea-dhcp4 kea-dhcp4-server
    program named-checkzone bind9-utils
    program tftp tftp-hpa
    program atftp atftp
    program curl curl
    program openssl openssl
    program ethtool ethtool
    program virt-xml-validate libvirt-clients
    program xmllint libxml2-utils
    [ -e /usr/lib/ipxe/undionly.kpxe ] || missing="$missing ipxe"
    [ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || missing="$missing ovmf"
    [ -x /bin/busybox ] || missing="$missing busybox-static"
    ls /boot/vmlinuz-*cloud* >/dev/null 2>&1 || missing="$missing linux-image-cloud-amd64"
    program ssh openssh-client
    program sshd openssh-server
    program tcsh tcsh
    program sudo sudo
    program doas opendoas
    program rsync rsync
    program pip3 python3-pip
    program shellcheck shellcheck
    program systemd-analyze systemd
fi

if [ -n "$missing" ]; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "setup: installing$missing"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: this system has no apt-get; install what answers to these Debian packages:$missing" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    # Servers for the benches are not to be started by their packages.
    [ "$purpose" != bench ] || export RUNLEVEL=1
    # shellcheck disable=SC2086 # a list of words
    $sudo apt-get update -qq && $sudo apt-get install -qq -y --no-install-recommends $missing </dev/null
fi

if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: there is no \`cargo\`: install Rust $rust_wanted or later by rustup (https://rustup.rs)" >&2
    exit 1
fi
rust=$(cargo --version | cut -d' ' -f2)
if [ "$(printf '%s\n' "$rust_wanted" "$rust" | sort -V | head -n 1)" != "$rust_wanted" ]; then
    echo "setup: Rust $rust_wanted or later is needed, this is $rust: \`rustup update\`" >&2
    exit 1
fi
if [ "$purpose" = test ]; then
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
fi
