"""Do on a machine what agent/verbs.py has a verb for; what only looks there comes through redis_fleet_inspect."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.performing import options, serve
from ansible.module_utils.redis_fleet.agent.verbs import VERBS

DOCUMENTATION = """
module: redis_fleet_agent
short_description: Do one thing on a machine of a deployment
description: Called by the actions of redis-fleet, never by a playbook. What is asked and answered are messages.
options:
  verb:
    description: What to do.
    type: str
    required: true
  request:
    description: What the verb has to know, a message as JSON.
    type: str
    default: "{}"
  secrets:
    description: The secrets of the request, in the order in which it refers to them.
    type: list
    elements: str
    default: []
"""


def main() -> None:
    """Read the arguments, do it, answer."""
    serve(AnsibleModule(options(VERBS), supports_check_mode=True), VERBS)


if __name__ == "__main__":
    main()
