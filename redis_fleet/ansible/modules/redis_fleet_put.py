"""Put files, folders and links on a machine; a thin module over redis_fleet.remote."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.remote.put import put


def main() -> None:
    """Read the arguments, do it, answer."""
    place = {"path": {"type": "str"}, "owner": {"type": "str", "default": ""}, "mode": {"type": "int"}}
    file = {**place, "content": {"type": "str", "no_log": True}}
    folder = {**place, "shared": {"type": "bool", "default": False}}
    link = {"path": {"type": "str"}, "target": {"type": "str"}}
    options: dict[str, object] = {"supervised": {"type": "bool", "required": True}}
    for name, fields in (("folders", folder), ("files", file), ("links", link)):
        options[name] = {"type": "list", "elements": "dict", "options": fields, "default": []}
    module = AnsibleModule(options, supports_check_mode=True)
    answer = put(module.params, dry=module.check_mode)
    module.exit_json(changed=bool(answer["changed"]), written=answer["changed"], fingerprints=answer["fingerprints"])


if __name__ == "__main__":
    main()
