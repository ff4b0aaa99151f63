"""Find every Redis process of a machine; a thin module over redis_fleet.agent."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.inspect.discover import survey


def main() -> None:
    """Look and answer; the answer holds passwords, see the action of the same name."""
    module = AnsibleModule({}, supports_check_mode=True)
    module.exit_json(changed=False, survey=survey())


if __name__ == "__main__":
    main()
