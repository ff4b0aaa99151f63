"""Kill a process and keep it down, or let it come back; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.errors import NotReadyError
from ansible.module_utils.redis_fleet.agent.options import PROCESS, managed
from ansible.module_utils.redis_fleet.agent.process.start import kill_and_hold, release


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {
        "process": {"type": "dict", "options": PROCESS, "required": True},
        "held": {"type": "bool", "required": True},
        "server": {"type": "str", "default": ""},
    }
    module = AnsibleModule(options)
    given, words = module.params, ""
    try:
        if given["held"]:
            words = kill_and_hold(managed(given["process"]))
        else:
            release(managed(given["process"]), given["server"], given["process"]["follow"])
    except (NotReadyError, RuntimeError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, words=words)


if __name__ == "__main__":
    main()
