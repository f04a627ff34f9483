"""The lab's Kubernetes API endpoint: as much of it as kubectl and netbench use, over TLS with a token."""
