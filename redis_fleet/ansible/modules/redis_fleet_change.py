"""Change running processes by commands; a thin module over redis_fleet.agent. ``orders`` are a text of JSON."""

from __future__ import annotations

import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.errors import NotReadyError
from ansible.module_utils.redis_fleet.agent.options import ORDERED
from ansible.module_utils.redis_fleet.agent.process.change import ChangeError, change


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {"processes": ORDERED, "sensitive": {"type": "list", "elements": "str", "default": []}}
    module = AnsibleModule(options, supports_check_mode=True)
    processes = [{**each, "orders": json.loads(each["orders"])} for each in module.params["processes"]]
    try:
        answer = change({**module.params, "processes": processes}, dry=module.check_mode)
    except ChangeError as error:
        module.fail_json(msg=str(error), done=error.changed, changed=bool(error.changed))
    except (NotReadyError, ValueError, OSError) as error:
        module.fail_json(msg=str(error), done=[])
    module.exit_json(changed=bool(answer["changed"]), done=answer["changed"], processes=answer["processes"])


if __name__ == "__main__":
    main()
