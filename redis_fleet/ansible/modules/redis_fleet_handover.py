"""Do a step of a switchover from this machine, or note its result here; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.handover_verbs import VERBS
from ansible.module_utils.redis_fleet.agent.replication.view import TROUBLE, tell


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {
        "verb": {"type": "str", "choices": sorted(VERBS), "required": True},
        "target": {"type": "dict", "default": {}},
        "password": {"type": "str", "no_log": True},
        "sentinel_password": {"type": "str", "no_log": True},
        "described": {"type": "dict", "default": {}},
        "old": {"type": "str", "default": ""},
        "new": {"type": "str", "default": ""},
        "priorities": {"type": "dict", "default": {}},
        "path": {"type": "str", "default": ""},
        "service": {"type": "str", "default": ""},
        "master": {"type": "str", "default": ""},
        "number": {"type": "int", "default": 0},
    }
    module = AnsibleModule(options)
    given = module.params
    target = {**given["target"], "password": given["password"], "sentinel_password": given["sentinel_password"]}
    try:
        answer = VERBS[given["verb"]](target, given)
    except TROUBLE as error:
        module.fail_json(msg=tell(error))
    module.exit_json(changed=given["verb"] not in ("records",), answer=answer)


if __name__ == "__main__":
    main()
