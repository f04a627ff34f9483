"""netbench: what pod networks cost against plain hosts, measured and defended."""

__version__ = "0.1.0"
