"""Measurements. ``python -m bench NAME [ARGS] [--json]``; each starts what it needs and stops it again.

A bench measures and does not judge. Absolute figures depend on the machine, so a limit is measured in the same run
wherever there is one.
"""
