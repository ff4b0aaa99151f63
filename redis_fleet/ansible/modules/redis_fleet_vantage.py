"""Be a client of a service from this machine; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.client_verbs import VERBS


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {
        "verb": {"type": "str", "choices": sorted(VERBS), "required": True},
        "target": {"type": "dict", "required": True},
        "password": {"type": "str", "no_log": True},
        "sentinel_password": {"type": "str", "no_log": True},
        "folder": {"type": "str"},
        "offset": {"type": "int", "default": 0},
        "seconds": {"type": "float", "default": 0},
    }
    module = AnsibleModule(options)
    given = module.params
    target = {**given["target"], "password": given["password"], "sentinel_password": given["sentinel_password"]}
    module.exit_json(changed=False, answer=VERBS[given["verb"]](target, given))


if __name__ == "__main__":
    main()
