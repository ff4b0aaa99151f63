"""Put files, folders and links on a machine; a thin module over redis_fleet.remote."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.remote.options import PARTS
from ansible.module_utils.redis_fleet.remote.put import put


def main() -> None:
    """Read the arguments, do it, answer."""
    module = AnsibleModule(PARTS, supports_check_mode=True)
    answer = put(module.params, dry=module.check_mode)
    module.exit_json(changed=bool(answer["changed"]), written=answer["changed"], fingerprints=answer["fingerprints"])


if __name__ == "__main__":
    main()
