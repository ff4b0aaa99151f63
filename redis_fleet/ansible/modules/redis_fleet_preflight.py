"""Look at what a machine is before a deployment; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.inspect.host_facts import preflight
from ansible.module_utils.redis_fleet.agent.options import SPOTS


def main() -> None:
    """Read the arguments, do it, answer."""
    texts = {"type": "list", "elements": "str", "default": []}
    names = ("packages", "default_units", "masks", "units", "folders", "configurations", "needed", "addresses")
    options = {
        **dict.fromkeys(names, texts),
        "binary": {"type": "str", "required": True},
        "deployment": {"type": "str", "required": True},
        "user": {"type": "str", "required": True},
        "ports": {"type": "list", "elements": "int", "default": []},
        "targets": SPOTS,
        "seconds": {"type": "float", "default": 2},
    }
    module = AnsibleModule(options, supports_check_mode=True)
    module.exit_json(changed=False, **preflight({**module.params, "files": []}))


if __name__ == "__main__":
    main()
