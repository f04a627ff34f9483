"""The test bed: nodes, pods, zones and a Kubernetes API endpoint on one Linux machine (see ``control``)."""
