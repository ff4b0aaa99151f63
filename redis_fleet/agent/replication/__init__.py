"""Masters, replicas and Sentinels: what they say of each other, and how the role of master moves."""
