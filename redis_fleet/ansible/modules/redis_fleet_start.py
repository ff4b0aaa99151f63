"""Write files, start processes and wait until they are ready; a thin module over redis_fleet.agent."""

from __future__ import annotations

import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.host.files import put
from ansible.module_utils.redis_fleet.agent.options import PARTS, PROCESSES
from ansible.module_utils.redis_fleet.agent.process.start import NotReadyError, start


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {
        **PARTS,
        "processes": PROCESSES,
        "server": {"type": "str", "default": ""},
        "timeout": {"type": "float", "default": 60},
    }
    module = AnsibleModule(options, supports_check_mode=True)
    processes = [{**each, "edit": json.loads(each["edit"])} for each in module.params["processes"]]
    try:
        written = put(module.params, dry=module.check_mode)["changed"]
        started = start({**module.params, "processes": processes}, dry=module.check_mode)
    except (NotReadyError, RuntimeError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(written or started), written=written, started=started)


if __name__ == "__main__":
    main()
