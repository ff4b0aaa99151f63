"""Restart one process with another file or unit; a thin module over redis_fleet.agent. ``edit`` is a text of JSON."""

from __future__ import annotations

import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.options import FILES, HIDDEN, PROCESS, SPOTS
from ansible.module_utils.redis_fleet.agent.process.restart import restart
from ansible.module_utils.redis_fleet.agent.process.start import NotReadyError


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {
        "process": {"type": "dict", "options": PROCESS, "required": True},
        "expect": {"type": "str", "choices": ["master", "replica", "sentinel"], "required": True},
        "edit": HIDDEN,
        "files": FILES,
        "follow": {"type": "str", "default": ""},
        "others": SPOTS,
        "needed": {"type": "int", "default": 0},
        "masters": {"type": "dict", "default": {}},
        "server": {"type": "str", "default": ""},
        "patience": {"type": "float", "default": 0},
        "timeout": {"type": "float", "default": 60},
    }
    module = AnsibleModule(options, supports_check_mode=True)
    request = {**module.params, "edit": json.loads(module.params["edit"])}
    try:
        answer = restart(request, dry=module.check_mode)
    except (NotReadyError, RuntimeError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, done=answer["changed"], seconds=answer["seconds"])


if __name__ == "__main__":
    main()
