"""Wait until a machine is in step, and look at it; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.options import LOOK
from ansible.module_utils.redis_fleet.agent.process.wait_in_sync import settle


def main() -> None:
    """Read the arguments, do it, answer."""
    own = {"masters": {"type": "dict", "default": {}}, "timeout": {"type": "float", "default": 60}}
    module = AnsibleModule({**LOOK, **own}, supports_check_mode=True)
    answer = settle(module.params)
    module.exit_json(changed=bool(answer.get("calmed")), **answer)


if __name__ == "__main__":
    main()
