"""What the controller and a machine say to each other: frozen dataclasses, as JSON on the way."""
