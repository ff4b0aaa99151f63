"""Wait until a machine is in step, and look at it; a thin module over redis_fleet.remote."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.remote.options import LOOK
from ansible.module_utils.redis_fleet.remote.settle import settle


def main() -> None:
    """Read the arguments, do it, answer."""
    own = {"masters": {"type": "dict", "default": {}}, "timeout": {"type": "float", "default": 60}}
    module = AnsibleModule({**LOOK, **own}, supports_check_mode=True)
    module.exit_json(changed=False, **settle(module.params))


if __name__ == "__main__":
    main()
