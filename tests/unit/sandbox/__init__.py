"""What a sandbox notes about itself."""
