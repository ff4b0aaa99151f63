#!/bin/bash
# Make a disk with Debian 12 and its redis-server in the folder $1, with a kernel and an initrd to boot it: some minutes.
# Needs qemu-utils, mmdebstrap, e2fsprogs and ssh-keygen; as root.
set -euo pipefail
cd "$1"
key=$PWD/id_ed25519
[ -f "$key" ] || ssh-keygen -q -t ed25519 -N '' -f "$key"
cat > redis.conf <<EOF
bind 0.0.0.0
protected-mode no
dir /var/lib/redis
logfile /var/log/redis/redis-server.log
save ""
appendonly yes
appendfsync always
auto-aof-rewrite-percentage 0
EOF
packages=linux-image-cloud-amd64,initramfs-tools,systemd,systemd-sysv,dbus,openssh-server,python3,iproute2,procps,udev
mmdebstrap --quiet --variant=minbase --include="$packages,redis-server" \
  --customize-hook='echo powercut > "$1/etc/hostname"; echo "127.0.0.1 localhost powercut" > "$1/etc/hosts"' \
  --customize-hook='echo "/dev/vda / ext4 defaults,errors=remount-ro 0 1" > "$1/etc/fstab"' \
  --customize-hook='printf "[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n" > "$1/etc/systemd/network/80-dhcp.network"' \
  --customize-hook='chroot "$1" systemctl --quiet enable systemd-networkd ssh redis-server' \
  --customize-hook='chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer systemd-networkd-wait-online.service' \
  --customize-hook='install -D -m 600 '"$key"'.pub "$1/root/.ssh/authorized_keys"' \
  --customize-hook='cp redis.conf "$1/etc/redis/redis.conf"; chroot "$1" chown redis:redis /etc/redis/redis.conf' \
  --customize-hook='cp -L "$1"/boot/vmlinuz-* '"$PWD"'/vmlinuz; cp -L "$1"/boot/initrd.img-* '"$PWD"'/initrd.img' \
  bookworm root.tar
rm -rf root root.img
mkdir root
tar -C root --numeric-owner -xf root.tar
mke2fs -q -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 -d root building.img 3G
rm -rf root root.tar
mv building.img root.img
