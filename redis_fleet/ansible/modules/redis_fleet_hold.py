"""Kill a process and keep it down, or let it come back; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.options import PROCESS
from ansible.module_utils.redis_fleet.agent.process.start import NotReadyError, kill_and_hold, release


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {
        "process": {"type": "dict", "options": PROCESS, "required": True},
        "held": {"type": "bool", "required": True},
        "server": {"type": "str", "default": ""},
    }
    module = AnsibleModule(options)
    words = ""
    try:
        if module.params["held"]:
            words = kill_and_hold(module.params["process"])
        else:
            release(module.params["process"], module.params["server"])
    except (NotReadyError, RuntimeError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, words=words)


if __name__ == "__main__":
    main()
