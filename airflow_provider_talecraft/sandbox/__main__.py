"""``python -m airflow_provider_talecraft.sandbox``; everything it does is in command.py."""

from __future__ import annotations

import sys

from airflow_provider_talecraft.sandbox.command import main

if __name__ == "__main__":
    sys.exit(main())
