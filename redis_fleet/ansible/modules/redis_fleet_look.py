"""Look at one machine: packages, kernel, files, units and processes; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.inspect.observe import look
from ansible.module_utils.redis_fleet.agent.options import LOOK


def main() -> None:
    """Read the arguments, do it, answer."""
    module = AnsibleModule(LOOK, supports_check_mode=True)
    module.exit_json(changed=False, **look(module.params))


if __name__ == "__main__":
    main()
