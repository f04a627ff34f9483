"""From Ansible-style inventory files and label selectors to nodes and endpoints. Nothing here opens a connection."""

from netbench.inventory.discovery import discover
from netbench.inventory.loading import load
from netbench.inventory.overview import describe

__all__ = ["describe", "discover", "load"]
