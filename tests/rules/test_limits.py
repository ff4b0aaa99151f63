"""Where each rule begins and ends: what is told, and what only looks like it. False alarms are worse than gaps."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.description.load import load
from redis_fleet.rules.run import apply_rules
from redis_fleet.settings.layout import SystemLayout
from redis_fleet.topology.place import place

ADOPTED = "adopted: {configuration: /etc/redis/redis.conf, unit: redis-server.service}"
ALSO_ADOPTED = "adopted: {configuration: /etc/redis/also.conf, unit: redis-also.service}"
ADOPTED_SENTINEL = "adopted: {configuration: /etc/redis/sentinel.conf, unit: redis-sentinel.service}"
ALONE = {"master": "master: red1"}
EXTERNAL = {"master": "replicaof: 10.9.9.9 6379\nreplicas: [red1]", "watched": ""}
PAIR = {"master": "master: red1\nreplicas: [red2]"}
PASSWORD = "password: correct-horse-battery"
TLS = "tls-cert-file: /etc/redis/a.crt\ntls-key-file: /etc/redis/a.key\n"
AUTHORITY = "tls-ca-cert-file: /etc/redis/ca.crt\n"
NAT = 'replica-announce-ip: "{{ address }}"'


def shop(
    config: str = "",
    own: str = PASSWORD,
    master: str = "master: red1\nreplicas: [red2, red3]",
    watched: str = "machines: [red1, red2, red3]\npassword: staple-of-the-fleet",
    top: str = "",
    more: str = "",
    maxmemory: str = "1gb",
) -> str:
    """Return a description; ``more`` is a second service."""

    def below(indent: int, *texts: str) -> str:
        return "".join(" " * indent + line + "\n" for text in texts for line in text.splitlines())

    machines = [f"red{number}: {{address: 10.0.0.1{number}, vars: {{size: {number}gb}}}}" for number in (1, 2, 3)]
    head = f"plugin: redis_fleet\nname: shop\n{top}\nmachines:\n" + below(2, *machines)
    service = "services:\n  orders:\n" + below(4, master, own, "config:") + below(6, f"maxmemory: {maxmemory}", config)
    other = "  other:\n" + below(4, more) if more else ""
    return head + service + other + ("sentinel:\n" + below(2, watched) if watched else "")


def told(folder: Path, text: str) -> set[str]:
    """Return the rules that a description breaks."""
    file = folder / "shop.redis.yml"
    file.write_text(text, encoding="utf-8")
    description = load(str(file))
    # Not load_fleet, which says nothing of warnings where there are errors.
    found = apply_rules(description, place(description, SystemLayout()))
    return {each.rule for each in (*found.errors, *found.warnings)}


def watched(config: str, machines: str = "red1, red2, red3", own: str = "password: staple-of-the-fleet") -> str:
    """Return a sentinel section with directives."""
    return f"machines: [{machines}]\n{own}\nconfig: {{{config}}}"


TOLD = {
    "E1 in 6.0, where no save line is none": shop(own=f"{PASSWORD}\n{ADOPTED}", top='version: "6.0"'),
    "E3 on two names of one address": shop(
        watched="machines: [red1, red4, red3]\npassword: staple-of-the-fleet"
    ).replace("machines:\n", "machines:\n  red4: {address: 10.0.0.11}\n", 1),
    "E4 when protected-mode is off": shop(own=ADOPTED, config="protected-mode: no"),
    "E4 with bind, before 7.0": shop(own=f'{ADOPTED}\nbind: "{{{{ address }}}}"', top='version: "6.2"'),
    "E4 with bind, when it may be before 7.0": shop(own=f'{ADOPTED}\nbind: "{{{{ address }}}}"'),
    "E4 also with protected-mode, for nobody else gets in": shop(own="", config="protected-mode: yes"),
    "E7 in a Sentinel": shop(watched=watched("aclfile: /etc/redis/sentinel.acl")),
    "E7 the default user is off": shop(own="", config="user: default off"),
    "E23 a port of the other service": shop(
        config=f"tls-port: 6380\n{TLS}tls-auth-clients: no", more=f"master: red1:6380\n{PASSWORD}"
    ),
    "E23 in a Sentinel": shop(
        watched=watched("tls-port: 26379, tls-cert-file: /a, tls-key-file: /b, tls-auth-clients: no")
    ),
    "E23 the bus of a cluster": shop(**ALONE, config="cluster-enabled: yes", more=f"master: red1:16379\n{PASSWORD}"),
    "E24 in a Sentinel": shop(
        watched=watched(
            "tls-port: 26390, tls-cert-file: /a, tls-key-file: /b, tls-ca-cert-file: /c, tls-replication: yes"
        )
    ),
    "E25 after a reset": shop(config="user: web reset on nopass ~* +@all"),
    "E25 one command too many": shop(config="user: web on nopass +ping +get"),
    "E25 a selector": shop(config='user: "web on nopass +ping (+@all ~*)"'),
    "W38 in a list": shop(config="user:\n  - web on #abc"),
    "W38 a password": shop(own="password: correct-horse #battery"),
    "E17 log": shop(config="logfile: /var/log/redis/x.log", watched=watched("logfile: /var/log/redis/x.log")),
    "E17 socket": shop(
        config="unixsocket: /run/x.sock", more=f"master: red1:6380\n{PASSWORD}\nconfig: {{unixsocket: /run/x.sock}}"
    ),
    "E17 TLS port": shop(
        config=f"tls-port: 6390\n{TLS}{AUTHORITY}",
        more=f"master: red1:6380\n{PASSWORD}\nconfig:\n  tls-port: 6390\n  "
        + f"{TLS}{AUTHORITY}".strip().replace("\n", "\n  "),
    ),
    "E17 written in capitals": shop(
        config="DIR: /srv/redis", more=f"master: red1:6380\n{PASSWORD}\nconfig: {{dir: /srv/redis}}"
    ),
    "E17 beside an adopted one": shop(
        config="dir: /srv/redis",
        more=f"master: red1:6380\n{PASSWORD}\n{ALSO_ADOPTED}\nconfig: {{dir: /srv/redis, dbfilename: b.rdb}}",
    ),
    "E17 adopted, one file": shop(
        own=f"{PASSWORD}\n{ADOPTED}",
        config="dir: /srv",
        more=f"master: red1:6380\n{PASSWORD}\n{ALSO_ADOPTED}\nconfig: {{dir: /srv}}",
    ),
    "E17 adopted, one AOF": shop(
        own=f"{PASSWORD}\n{ADOPTED}",
        config="dir: /srv\nappendonly: yes",
        more=f"master: red1:6380\n{PASSWORD}\n{ALSO_ADOPTED}\n"
        "config: {dir: /srv, dbfilename: b.rdb, appendonly: yes}",
    ),
    "E17 the log of a server": shop(watched=watched("logfile: /var/log/redis/redis-server-orders-6379.log")),
    "E17 the log of a Sentinel": shop(config="logfile: /var/log/redis/redis-sentinel-26379.log"),
    "E17 after an adopted one": shop(
        own=f"{PASSWORD}\n{ADOPTED}",
        config="dir: /srv/redis",
        more=f"master: red1:6380\n{PASSWORD}\nconfig: {{dir: /srv/redis, dbfilename: b.rdb}}",
    ),
    "E17 adopted, one socket": shop(
        own=f"{PASSWORD}\n{ADOPTED}",
        config="unixsocket: /run/x.sock",
        more=f"master: red1:6380\n{PASSWORD}\n{ALSO_ADOPTED}\nconfig: {{dbfilename: b.rdb, unixsocket: /run/x.sock}}",
    ),
    "E18 outside": shop(**EXTERNAL, config="cluster-enabled: yes"),
    "E19 Sentinels": shop(watched="machines: [red1, red2, red3]\npassword: staple-of-the-fleet\nbind: 127.0.0.1"),
    "E20 no files at all": shop(config="tls-port: 6390\ntls-auth-clients: no\ntls-replication: yes"),
    "E20 for other servers": shop(config=f"tls-port: 6390\ntls-auth-clients: no\ntls-replication: yes\n{TLS}"),
    "E20 files without a name": shop(config=f'tls-port: 6390\n{TLS}tls-ca-cert-file: ""'),
    "E20 in a Sentinel": shop(watched=watched("tls-port: 26390")),
    "E21 in a Sentinel": shop(
        watched=watched("aclfile: /etc/redis/s.acl, user: alice on nopass +@all", own="open-to-network: the ACL file")
    ),
    "W1 just below": shop(watched=watched("down-after-milliseconds: 999")),
    "W3 zero": shop(maxmemory="0"),
    "W3 for one of them": shop(maxmemory='\'{{ "0" if machine == "red2" else "1gb" }}\''),
    "W4 by a variable": shop(maxmemory="'{{ size }}'"),
    "W5 outside": shop(**EXTERNAL, config="repl-backlog-size: 64kb"),
    "W6 without a limit": shop(maxmemory="0", config="client-output-buffer-limit: replica 64mb 64mb 60"),
    "W6 soft": shop(config="client-output-buffer-limit: slave 0 32mb 60"),
    "W6 second class": shop(config="client-output-buffer-limit: normal 0 0 0 replica 128mb 64mb 60"),
    "W11 the only one": shop(**PAIR, config="min-replicas-to-write: 1"),
    "W14 just below": shop(watched=watched("failover-timeout: 9999")),
    "W45 reconfig script": shop(watched=watched("client-reconfig-script: /usr/local/bin/moved")),
    "W16 59": shop(config="timeout: 59"),
    "W17 outside": shop(**EXTERNAL, config="save: []"),
    "W18 just below": shop(watched=watched("down-after-milliseconds: 1999")),
    "W22 outside": shop(**EXTERNAL, config="replica-read-only: no"),
    "W23 DEBUG": shop(config="enable-debug-command: yes"),
    "W23 MODULE": shop(config="enable-module-command: yes"),
    "W24 of the Sentinels": shop(watched="machines: [red1, red2, red3]\npassword: staple"),
    "W24 eleven": shop(own="password: elevenchars"),
    "W25 outside": shop(**EXTERNAL, config=f"tls-port: 6390\n{TLS}{AUTHORITY}"),
    "W27 by the period": shop(config="repl-ping-replica-period: 60"),
    "W28 alone": shop(config="min-replicas-max-lag: 0"),
}
QUIET = {
    "E1 without a save line, where it may be the default": shop(own=f"{PASSWORD}\n{ADOPTED}"),
    "E1 in 7.0, where no save line is three": shop(own=f"{PASSWORD}\n{ADOPTED}", top='version: "7.0"'),
    "E1 own unit": shop(config="save: []\nrdb-del-sync-files: yes"),
    "E1 adopted alone": shop(**ALONE, own=f"{PASSWORD}\n{ADOPTED}", config="save: []"),
    "E1 adopted outside": shop(**EXTERNAL, own=f"{PASSWORD}\n{ADOPTED}", config="save: []"),
    "E1 adopted with a log": shop(own=f"{PASSWORD}\n{ADOPTED}", config="save: []\nappendonly: yes"),
    "E2 nothing watched": shop(own=f"{PASSWORD}\nsentinel: no", watched="machines: [red1]\npassword: staple-of-fleet"),
    "E3 half of four": shop(watched='machines: [red1, "red1:26380", red2, red3]\npassword: staple-of-the-fleet'),
    "E3 nothing watched": shop(
        own=f"{PASSWORD}\nsentinel: no", watched='machines: [red1, "red1:26380", red2]\npassword: staple-of-the-fleet'
    ),
    "E3 one is too few": shop(watched="machines: [red1]\npassword: staple-of-the-fleet"),
    "E4 with a reason": shop(own="open-to-network: a network of its own"),
    "E4 adopted, protected": shop(own=ADOPTED),
    "E4 adopted, protected since 7.0": shop(own=f'{ADOPTED}\nbind: "{{{{ address }}}}"', top='version: "7.0"'),
    "E5 with a reason": shop(watched="machines: [red1, red2, red3]\nopen-to-network: a network of its own"),
    "E6 a user of that password": shop(
        own=f"{PASSWORD}\nmaster-password: another-one-entirely", config="masteruser: replicator"
    ),
    "E6 no user": shop(own="open-to-network: a network of its own", config='masteruser: ""', watched=""),
    "E6 outside": shop(**EXTERNAL, own=f"{PASSWORD}\nmaster-password: another-one-entirely"),
    "E6 alone": shop(**ALONE, own=f"{PASSWORD}\nmaster-password: another-one-entirely"),
    "E7 no password": shop(own="open-to-network: users are in the file", config="aclfile: /etc/redis/users.acl"),
    "E7 no file": shop(config='aclfile: ""'),
    "E9 one of them": shop(config="replica-priority: \"{{ '0' if machine == 'red2' else '100' }}\""),
    "E9 without Sentinels": shop(config="replica-priority: 0", watched=""),
    "E11 unwatched": shop(own="password: correct horse battery\nsentinel: no"),
    "E11 every other sign": shop(own="password: '#ai%EQie!^iLong\\\\Enough~'"),
    "E15 in 7.0": shop(config='user: alice on >x %R~a "(+get ~b)"', top='version: "7.0"'),
    "E15 when it may be newer": shop(config="user: alice on >x allchannels"),
    "E15 in a name": shop(config="user: allchannels on >x ~* +@all", top='version: "6.0"'),
    "E4 the default user is off": shop(own="", config="user: default off -@all"),
    "E17 folders of their own": shop(config="dir: '/srv/{{ name }}'", more=f"master: red1:6380\n{PASSWORD}"),
    "E17 the folder on another machine": shop(
        **ALONE, config="dir: /srv/redis", more=f"master: red2:6380\n{PASSWORD}\nconfig: {{dir: /srv/redis}}"
    ),
    "E17 adopted, files of their own": shop(
        own=f"{PASSWORD}\n{ADOPTED}",
        config="dir: /srv\nappendonly: yes",
        more=f"master: red1:6380\n{PASSWORD}\n{ALSO_ADOPTED}\nconfig: {{dir: /srv, dbfilename: b.rdb}}",
    ),
    "E17 adopted, logs of their own": shop(
        own=f"{PASSWORD}\n{ADOPTED}",
        config="dir: /srv\nappendonly: yes",
        more=f"master: red1:6380\n{PASSWORD}\n{ALSO_ADOPTED}\n"
        "config: {dir: /srv, dbfilename: b.rdb, appendonly: yes, appendfilename: b.aof}",
    ),
    "E17 adopted beside its Sentinel": shop(
        own=f"{PASSWORD}\n{ADOPTED}",
        config="dir: /var/lib/redis",
        watched=watched("dir: /var/lib/redis", own=f"password: staple-of-the-fleet\n{ADOPTED_SENTINEL}"),
    ),
    "E17 no TLS port": shop(config="tls-port: 0", more=f"master: red1:6380\n{PASSWORD}\nconfig: {{tls-port: 0}}"),
    "E18 one alone": shop(**ALONE, config="cluster-enabled: yes"),
    "E19 a machine that is here": shop(own=f"{PASSWORD}\nbind: 127.0.0.1", watched="").replace("10.0.0.1", "127.0.0.1"),
    "E23 another machine": shop(
        **ALONE, config=f"tls-port: 6379\n{TLS}tls-auth-clients: no", own="port: 6380\n" + PASSWORD
    ),
    "E23 two TLS ports, which E17 tells": shop(
        config=f"tls-port: 6390\n{TLS}tls-auth-clients: no",
        more=f"master: red1:6380\n{PASSWORD}\nconfig:\n  tls-port: 6390\n  tls-cert-file: /a\n  tls-key-file: /b",
    ),
    "E23 no TLS": shop(config="tls-port: 0"),
    "E24 a master alone": shop(
        **ALONE, own=f"{PASSWORD}\nsentinel: no", config=f"tls-port: 6390\n{TLS}{AUTHORITY}tls-replication: yes"
    ),
    "E24 said no": shop(config="tls-replication: no"),
    "E25 with a reason": shop(own=f"{PASSWORD}\nopen-to-network: ours", config="user: web on nopass ~* +@all"),
    "E25 off": shop(config="user: web off nopass ~* +@all"),
    "E25 a password in the end": shop(config='user: "web on nopass >another-one ~* +@all"'),
    "E25 what is asked for health": shop(config="user: web on nopass +ping +role"),
    "E25 loopback": shop(own=f"{PASSWORD}\nbind: 127.0.0.1", watched="", config="user: web on nopass ~* +@all").replace(
        "10.0.0.1", "127.0.0.1"
    ),
    "W37 no": shop(**ALONE, config="cluster-enabled: no"),
    "W38 a comment of its own": shop(config="user: web on >x ~* +@all\n# one"),
    "W38 a comment behind a number": shop(config="hz: 20 #twice as often"),
    "W38 a comment behind a password": shop(own="password: correct-horse-battery  # as it is"),
    "W39 read by an older one": shop(config="io-threads-do-reads: no"),
    "E20 no TLS": shop(config="tls-port: 0"),
    "E20 complete": shop(config=f"tls-port: 6390\n{TLS}{AUTHORITY}tls-replication: yes"),
    "E20 a folder of authorities": shop(
        config=f"tls-port: 6390\n{TLS}tls-ca-cert-dir: /etc/ssl/certs\ntls-replication: yes"
    ),
    "E20 nobody is checked": shop(**ALONE, config=f"tls-port: 6390\n{TLS}tls-auth-clients: no"),
    "E21 no file": shop(config='aclfile: ""\nuser: alice on >x'),
    "W1 1000": shop(watched=watched("down-after-milliseconds: 1000")),
    "W2 without a log": shop(config="appendfsync: always\nno-appendfsync-on-rewrite: yes"),
    "W2 everysec": shop(config="appendonly: yes\nno-appendfsync-on-rewrite: yes"),
    "W4 alone": shop(**ALONE, maxmemory="'{{ size }}'"),
    "W5 alone": shop(**ALONE, config="repl-backlog-size: 64kb"),
    "W5 the default": shop(config="repl-backlog-size: 1mb"),
    "W6 small data": shop(maxmemory="64mb", config="client-output-buffer-limit: replica 64mb 64mb 60"),
    "W6 no limit": shop(config="client-output-buffer-limit: replica 0 0 0"),
    "W6 the default": shop(config="client-output-buffer-limit: replica 256mb 64mb 60"),
    "W6 of others": shop(config="client-output-buffer-limit: pubsub 32mb 8mb 60"),
    "W6 alone": shop(**ALONE, config="client-output-buffer-limit: replica 1mb 1mb 60"),
    "W10 nothing to save": shop(config="save: []\nrdb-del-sync-files: yes\nstop-writes-on-bgsave-error: no"),
    "W10 the defaults, written down": shop(
        **ALONE, config="appendonly: yes\naof-load-truncated: yes\nstop-writes-on-bgsave-error: yes"
    ),
    "W10 the default in other words": shop(config="stop-writes-on-bgsave-error: On"),
    "W3 by a machine": shop(maxmemory='\'{{ "2gb" if machine == "red2" else "1gb" }}\''),
    "W3 of many": shop(maxmemory="1", more=f"master: red1:6380\n{PASSWORD}\nconfig: {{MaxMemory: 1GB}}"),
    "W11 none": shop(config="min-replicas-to-write: 0"),
    "W11 alone and none": shop(**ALONE, config="min-replicas-to-write: 0"),
    "W11 outside": shop(**EXTERNAL, config="min-replicas-to-write: 3"),
    "W12 the only one": shop(**PAIR, watched=watched("parallel-syncs: 2")),
    "W12 some": shop(master='master: red1\nreplicas: [red2, red3, "red2:6380"]', watched=watched("parallel-syncs: 2")),
    "W13 both ways": shop(config=NAT, watched=watched('announce-ip: "{{ address }}"')),
    "W13 everywhere": shop(own=f"{PASSWORD}\nbind: '*'"),
    "W13 announced from inside": shop(
        own=f"{PASSWORD}\nbind: 172.17.0.2", config=NAT, watched=watched('announce-ip: "{{ address }}"')
    ),
    "W13 loopback is E19": shop(own=f"{PASSWORD}\nbind: 127.0.0.1"),
    "W13 unwatched": shop(own=f"{PASSWORD}\nbind: 172.17.0.2\nsentinel: no", config=NAT),
    "W14 10000": shop(watched=watched("failover-timeout: 10000")),
    "W45 somebody else's unit": shop(
        watched=watched("notification-script: /bin/page", own=f"password: staple-of-the-fleet\n{ADOPTED_SENTINEL}")
    ),
    "W16 60": shop(config="timeout: 60"),
    "W16 never": shop(config="timeout: 0"),
    "W17 alone": shop(**ALONE, config="save: []\nmaxmemory-policy: allkeys-lru"),
    "W17 a log": shop(config="save: []\nappendonly: yes"),
    "W17 into memory": shop(config="save: []\nrepl-diskless-load: swapdb"),
    "W18 2000": shop(watched=watched("down-after-milliseconds: 2000")),
    "W18 less": shop(watched=watched("down-after-milliseconds: 999")),
    "W19 two are E2": shop(watched="machines: [red1, red2]\npassword: staple-of-the-fleet"),
    "W20 replicated": shop(config="save: []"),
    "W20 outside": shop(**EXTERNAL, config="save: []"),
    "W20 a log": shop(**ALONE, config="save: []\nappendonly: yes"),
    "W22 alone": shop(**ALONE, config="replica-read-only: no"),
    "W24 twelve": shop(own="password: twelve-chars"),
    "W25 alone": shop(**ALONE, config=f"tls-port: 6390\n{TLS}{AUTHORITY}"),
    "W25 off": shop(config="tls-port: 0"),
    "W26 no log": shop(config="auto-aof-rewrite-percentage: 0"),
    "W27 a second more": shop(config="repl-timeout: 11"),
    "W27 alone": shop(**ALONE, config="repl-timeout: 5"),
    "W28 alone": shop(**ALONE, config="min-replicas-max-lag: 0"),
}


@pytest.mark.parametrize("case", TOLD)
def test_this_is_told(tmp_path: Path, case: str) -> None:
    assert case.split(maxsplit=1)[0] in told(tmp_path, TOLD[case])


@pytest.mark.parametrize("case", QUIET)
def test_this_is_not(tmp_path: Path, case: str) -> None:
    assert case.split(maxsplit=1)[0] not in told(tmp_path, QUIET[case])


@pytest.mark.parametrize("case", QUIET)
def test_these_are_descriptions_at_all(tmp_path: Path, case: str) -> None:
    assert "" not in told(tmp_path, QUIET[case])
