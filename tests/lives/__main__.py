"""Run lives: ``python -m tests.lives --seconds 120 --seed 1``; see running.py."""

if __name__ == "__main__":
    # Imported here alone: every process that is begun for an errand reads this file.
    import sys

    from tests.lives.running import main

    sys.exit(main())
