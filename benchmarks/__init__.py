"""Benchmarks: scripts run as `python -m benchmarks.NAME`. See benchmarks/README.md."""
