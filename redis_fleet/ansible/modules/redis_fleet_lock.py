"""Take, show or give back the lock of a deployment on this machine; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.runs.lock import begin, end, holder


def main() -> None:
    """Read the arguments, do it, answer."""
    options = {
        "verb": {"type": "str", "choices": ["begin", "end", "show"], "required": True},
        "lock": {"type": "str", "required": True},
        "journal": {"type": "str", "required": True},
        "run": {"type": "raw", "default": ""},
        "take_over": {"type": "str", "default": ""},
        "seen": {"type": "str"},
        "steps": {"type": "list", "elements": "dict", "default": []},
        "result": {"type": "str", "default": ""},
        "message": {"type": "str", "default": ""},
    }
    module = AnsibleModule(options)
    verb, given = module.params["verb"], module.params
    try:
        answer = {"holder": holder(given["lock"])} if verb == "show" else {"begin": begin, "end": end}[verb](given)
    except OSError as error:
        module.fail_json(msg=f"the lock or the journal of the deployment: {error}")
    # Neither is part of what the description asks for.
    module.exit_json(changed=False, **answer)


if __name__ == "__main__":
    main()
