"""``python -m netbench.lab.api STATE``: the API endpoint of the lab with that state directory."""

import sys
from pathlib import Path

from netbench.lab.api.server import listen
from netbench.lab.state import LabState

listen(LabState(Path(sys.argv[1])))
