"""Take processes off a machine; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.options import LEAVING
from ansible.module_utils.redis_fleet.agent.process.decommission import leave
from ansible.module_utils.redis_fleet.agent.process.start import NotReadyError


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {"processes": LEAVING, "timeout": {"type": "float", "default": 60}}
    module = AnsibleModule(options, supports_check_mode=True)
    try:
        done = leave(module.params, dry=module.check_mode)
    except (NotReadyError, RuntimeError, ValueError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(done), done=done)


if __name__ == "__main__":
    main()
