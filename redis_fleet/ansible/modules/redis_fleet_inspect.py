"""Look at a machine in the way that agent/inspect/verbs.py has a verb for; all else comes through redis_fleet_agent.

Apart from it so that a run that only looks ships, and each machine compiles, no more than that takes.
"""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.redis_fleet.agent.inspect.verbs import INSPECTIONS
from ansible.module_utils.redis_fleet.agent.performing import options, serve

DOCUMENTATION = """
module: redis_fleet_inspect
short_description: Look at a machine of a deployment, and change nothing
description: Called by the actions of redis-fleet, never by a playbook. What is asked and answered are messages.
options:
  verb:
    description: What to look at.
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
    """Read the arguments, look, answer."""
    serve(AnsibleModule(options(INSPECTIONS), supports_check_mode=True), INSPECTIONS)


if __name__ == "__main__":
    main()
