"""What Ansible loads: thin plugins over the package."""
