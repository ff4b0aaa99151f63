"""Prepare a machine: masked units, packages, kernel files; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.host.packages.install import install
from ansible.module_utils.redis_fleet.agent.options import PARTS


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {**PARTS, "packages": {"type": "list", "elements": "str", "default": []}}
    module = AnsibleModule(options, supports_check_mode=True)
    try:
        answer = install(module.params, dry=module.check_mode)
    except (RuntimeError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(answer["written"] or answer["installed"]), **answer)


if __name__ == "__main__":
    main()
