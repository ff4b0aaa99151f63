"""Try configurations with the binaries of this machine; a thin module over redis_fleet.agent. Changes nothing.

``trials`` are a text of JSON.
"""

from __future__ import annotations

import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.inspect.config_test import trials
from ansible.module_utils.redis_fleet.agent.options import HIDDEN


def main() -> None:
    """Read the arguments, do it, answer."""
    module = AnsibleModule({"trials": HIDDEN, "seconds": {"type": "float", "default": 10}}, supports_check_mode=True)
    wanted = json.loads(module.params["trials"])
    module.exit_json(changed=False, trials=trials({"trials": wanted, "seconds": module.params["seconds"]}))


if __name__ == "__main__":
    main()
