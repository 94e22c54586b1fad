#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
# Runs once inside the new file system of the lab's stock image (image_stock_script): what an emulated VM that lives for an hour need not do.
# Each program at boot costs tenths of a second there. On hardware virtualisation none of this is worth its risk.
set -eu

# Timers, the wait for a network whose address is static, consoles without people, kernel file systems that nothing here uses.
systemctl mask \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    systemd-networkd-wait-online.service systemd-network-generator.service systemd-pstore.service \
    systemd-random-seed.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
    systemd-machine-id-commit.service systemd-user-sessions.service \
    systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-repart.service systemd-firstboot.service \
    systemd-sysusers.service systemd-pcrphase.service systemd-pcrphase-sysinit.service kmod-static-nodes.service \
    systemd-journald-audit.socket systemd-initctl.socket systemd-ask-password-wall.path \
    systemd-ask-password-console.path getty.target getty@tty1.service serial-getty@ttyS0.service getty-static.service \
    modprobe@configfs.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service \
    modprobe@loop.service modprobe@dm_mod.service \
    dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
    sys-fs-fuse-connections.mount

# Each generator is one more program at every boot; there is no fstab, no encryption and no init script to translate.
mkdir -p /etc/systemd/system-generators /etc/tmpfiles.d
for generator in /usr/lib/systemd/system-generators/*; do
    ln -sf /dev/null "/etc/systemd/system-generators/$(basename "$generator")"
done
for part in home journal-nocow passwd provision systemd-nologin systemd-pstore x11; do
    ln -sf /dev/null "/etc/tmpfiles.d/$part.conf"
done

# Only the devices that a VM has and needs: hundreds of processor, memory and console entries load drivers (nested virtualisation,
# self-tests of ciphers) that cost seconds.
mkdir -p /etc/systemd/system/systemd-udev-trigger.service.d
cat > /etc/systemd/system/systemd-udev-trigger.service.d/ondemand-lab.conf <<'UNIT'
[Service]
ExecStart=
ExecStart=-udevadm trigger --type=devices --action=add --prioritized-subsystem=block,net --subsystem-match=block --subsystem-match=net --subsystem-match=virtio --subsystem-match=virtio-ports --subsystem-match=pci --subsystem-match=acpi --subsystem-match=input --subsystem-match=misc
UNIT
