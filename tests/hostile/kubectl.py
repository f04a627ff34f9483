"""A kubectl of the tests' own: ``python -m tests.hostile.kubectl SETTINGS ARGUMENTS``.

``get`` and ``version`` are honest; what is executed in a pod runs on this machine, in a mount namespace with the pod's
own /run, /tmp, /var/tmp and /dev/shm. In the pod that the settings name, commands of the stages that they name are
answered by an attack instead.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.hostile import attacks

PLACES = ("run", "tmp", "var/tmp", "dev/shm")
RECORDED = "recorded"


def stage(program: str) -> str:
    """Which of netbench's scripts it is, with its verb: "job start"."""
    match = re.search(r"^set -- (.*)$", program, re.MULTILINE)
    first = (shlex.split(match[1]) if match else [""])[0]
    for name, verbs in (("job", ("start", "fetch", "stop", "find")), ("lease", ("take", "drop", "list"))):
        if first in verbs:
            return f"{name} {first}"
    return "facts" if "noworkdir" in program else "reach"


def inside(directory: Path, argv: list[str]) -> list[str]:
    """The command line that runs one with the pod's own places."""
    mounts = [f'mount -n --bind "$0/{place}" /{place}' for place in PLACES if place != "tmp"]
    mounts.append('mount -n --bind "$0/tmp" /tmp')  # last: the others may come from there
    return ["unshare", "--mount", "sh", "-c", f'{" && ".join(mounts)} && cd / && exec "$@"', str(directory), *argv]


def execute(settings: dict[str, Any], name: str, argv: list[str]) -> int:
    program = sys.stdin.read()
    attacked = name == settings.get("pod") and stage(program) in settings["stages"]
    token = re.search(r"^netbench_t=(\w+)$", program, re.MULTILINE)
    root = Path(settings["root"])
    with (root / "log").open("a") as log:
        log.write(json.dumps([name, stage(program), attacked]) + "\n")
    if attacked:
        recorded = root / RECORDED
        saved = recorded.read_bytes() if recorded.exists() else b""
        return attacks.ATTACKS[settings["attack"]](token[1] if token else "", saved)
    directory = root / name
    for place in PLACES:
        (directory / place).mkdir(parents=True, exist_ok=True)
        (directory / place).chmod(0o755 if place == "run" else 0o1777)
    if settings.get("record") == stage(program) and name != settings.get("pod"):
        done = subprocess.run(inside(directory, argv), input=program.encode(), stdout=subprocess.PIPE, check=False)
        (root / RECORDED).write_bytes(done.stdout)
        sys.stdout.buffer.write(done.stdout)
        return done.returncode
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(program.encode())
        os._exit(0)
    os.close(writing)
    os.dup2(reading, 0)
    command = inside(directory, argv)
    return os.execvp(command[0], command)  # noqa: S606


def main(settings: dict[str, Any], arguments: list[str]) -> int:
    words = [word for word in arguments if not word.startswith("--kubeconfig")]
    if words[0] == "get":
        from tests.inventory.cluster import node, pod  # takes a while, and commands in pods are many

        pods = settings["pods"]
        if words[1] == "nodes":
            items = [node(name, "zone-a") for name in sorted({one["node"] for one in pods})]
        else:
            items = [
                pod(
                    one["name"],
                    one["node"],
                    one["address"],
                    containers=["main"],
                    labels={"app": "netbench", "netbench/kind": one["kind"]},
                )
                for one in pods
            ]
        print(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))  # noqa: T201
        return 0
    if words[0] == "version":
        print(json.dumps({f"{side}Version": {"gitVersion": "v1.32.0"} for side in ("client", "server")}))  # noqa: T201
        return 0
    if words[0] == "exec":
        split = words.index("--")
        return execute(settings, words[split - 1], words[split + 1 :])
    print(f"kubectl.py: {words}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2:]))
    except BrokenPipeError:
        os._exit(0)
