"""Repair the append-only file of a process that is down, and start it; a thin module over redis_fleet.agent."""

from __future__ import annotations

import subprocess

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.conf.aof_check import RefusedError
from ansible.module_utils.redis_fleet.agent.options import PROCESS
from ansible.module_utils.redis_fleet.agent.process.repair import repair
from ansible.module_utils.redis_fleet.agent.process.start import NotReadyError


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {
        "process": {"type": "dict", "options": PROCESS, "required": True},
        "server": {"type": "str", "required": True},
        "follow": {"type": "str", "default": ""},
        "discard": {"type": "bool", "default": False},
        "timeout": {"type": "float", "default": 600},
    }
    module = AnsibleModule(options, supports_check_mode=True)
    try:
        done = repair(module.params, dry=module.check_mode)
    except RefusedError as error:
        module.fail_json(msg=f"nothing was touched: {error}", changed=False)
    except (NotReadyError, RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, done=done)


if __name__ == "__main__":
    main()
