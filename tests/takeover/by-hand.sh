#!/bin/sh
# What an administrator does with apt and sed on one of three machines: a server, and a Sentinel that watches the master.
# by-hand.sh MASTER-ADDRESS OWN-ADDRESS, with the two passwords as two lines on standard input.
set -eu
master=$1 own=$2
read -r password
read -r watchword
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends redis-server redis-sentinel
systemctl stop redis-sentinel redis-server

sed -i \
    -e "s/^bind .*/bind $own 127.0.0.1/" \
    -e "s/^# requirepass .*/requirepass $password/" \
    -e "s/^# masterauth .*/masterauth $password/" \
    -e "s/^appendonly no/appendonly yes/" \
    -e "s/^# maxmemory <bytes>/maxmemory 100mb/" \
    -e "s/^repl-diskless-sync-delay .*/repl-diskless-sync-delay 0/" /etc/redis/redis.conf
echo "save 900 1" >> /etc/redis/redis.conf
[ "$own" = "$master" ] || echo "replicaof $master 6379" >> /etc/redis/redis.conf

# It has run once already, and has written into its file: a user that needs no password would win over requirepass.
sed -i \
    -e "s/^sentinel monitor mymaster .*/sentinel monitor mymaster $master 6379 2/" \
    -e "/^user default/d" /etc/redis/sentinel.conf
cat >> /etc/redis/sentinel.conf <<EOF
sentinel auth-pass mymaster $password
sentinel down-after-milliseconds mymaster 3000
sentinel failover-timeout mymaster 30000
requirepass $watchword
EOF
systemctl start redis-server redis-sentinel
