"""Login shells and rc files as machines have them. Every one is an account of its own on the lab's nodes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

ANOTHER = 2000  # a user who is not root, for the accounts that are not root's


@dataclass(frozen=True)
class Surrounding:
    """One account. @HOME@, @MINE@ (a canary tree of root's) and @THEIRS@ (another user's) are filled in."""

    name: str
    shell: str  # a program; "busybox ash" is made a program of its own
    rc: Mapping[str, str] = field(default_factory=dict)  # path below the home -> text
    match: str = ""  # lines for sshd's Match block
    uid: int = 0
    says: str = ""  # a pattern of the one message it fails with; "" where netbench works over it
    records: bool = False  # it stores what is sent to it in @HOME@/stdin

    @property
    def works(self) -> bool:
        return not self.says

    @property
    def missing(self) -> str:
        """The program that this machine lacks for it."""
        return "" if shutil.which(self.shell.split()[0]) else self.shell.split()[0]


def variables() -> list[str]:
    """Every name that a script of netbench's gives a value: an rc file may have given it one before."""
    scripts = [files("netbench.run").joinpath(f"{name}.sh") for name in ("state", "job", "lease", "facts", "reach")]
    text = "\n".join(script.read_text() for script in scripts)
    names = set(re.findall(r"(?:^|[\s;({])([a-z][a-z_]*)=", text)) | set(re.findall(r"\bread -r ([a-z ]+)", text))
    found = {name for several in names for name in several.split()} | {"draft", "dir", "file", "lease"}
    return sorted(found - {"path", "home", "user", "status", "cwd", "term", "shell", "group", "prompt", "argv", "env"})


# what a login shell that takes our scripts apart would hand to rm, mv, cd or a redirection
CSH = "".join(f"set {name} = @{'MINE' if n % 2 else 'THEIRS'}@/{name}\n" for n, name in enumerate(variables()))
SH = "".join(f"export {name}=@{'MINE' if n % 2 else 'THEIRS'}@/{name}\n" for n, name in enumerate(variables()))
ALIASES = "alias rm 'rm -rf @MINE@/dir'\nalias cd 'rm -rf @MINE@/dir'\nalias echo 'rm -rf @THEIRS@/dir'\n"
FUNCTIONS = "".join(
    f"{name}() {{ echo {name} >>@HOME@/called; }}\nexport -f {name}\n"
    for name in ("rmdir", "ls", "mkdir", "rm", "mv", "cat", "sed", "sleep", "wc")
)
FRAMES = r"""printf 'missing=none\nplace /tmp\nme 0\nready\nframe 0 3 0 0\nabcend\n'
printf 'job running /tmp 0123456789abcdef01234567\n'
printf '\n%032d l workdir=/tmp\n\n%032d e 0 1\nnetbench frame 0 0 0 0\nend\n' 0 0
"""
EXITS = r"the login shell does not run commands"
WAITS = r"the login shell did not run a command within"

SHELLS = tuple(
    Surrounding(shell.replace(" ", "-"), shell)
    for shell in (
        "bash",
        "dash",
        "zsh",
        "fish",
        "mksh",
        "ksh93",
        "yash",
        "posh",
        "rbash",
        "bsd-csh",
        "tcsh",
        "busybox ash",
    )
)
ANOTHERS = tuple(Surrounding(f"user-{shell}", shell, uid=ANOTHER) for shell in ("bash", "tcsh"))
TIDY = (
    Surrounding("csh-variables", "bsd-csh", {".cshrc": CSH}),
    Surrounding("tcsh-variables", "tcsh", {".tcshrc": CSH + "set noclobber\nset nonomatch\nset ignoreeof\n"}),
    Surrounding("tcsh-aliases", "tcsh", {".tcshrc": ALIASES}),
    Surrounding("tcsh-exits", "tcsh", {".tcshrc": "echo maintenance\nexit 7\n"}),  # of the rc file, not of tcsh
    Surrounding("csh-aliases", "bsd-csh", {".cshrc": ALIASES}),
    Surrounding("bash-variables", "bash", {".bashrc": SH}),
    Surrounding("bash-functions", "bash", {".bashrc": FUNCTIONS}),
    Surrounding(
        "bash-noclobber", "bash", {".bashrc": "set -C -u -e -f\nexport CDPATH=@MINE@:/\nexport GREP_OPTIONS=-c\n"}
    ),
    Surrounding("bash-posix", "bash", {".bashrc": "export POSIXLY_CORRECT=1 SHELLOPTS BASHOPTS\nset -x\n"}),
    Surrounding(
        "zsh-options", "zsh", {".zshenv": "setopt noclobber shwordsplit nullglob\nCDPATH=@MINE@\nprint -n banner\n"}
    ),
    Surrounding("fish-talks", "fish", {".config/fish/config.fish": "echo -n welcome\nset -x CDPATH @MINE@\n"}),
    Surrounding("environment", "bash", {"env": "rm -rf @MINE@/dir\n"}, match='SetEnv "IFS=/netbch0" "ENV=@HOME@/env"'),
    Surrounding("bash-env", "bash", {"env": "printf talk\nIFS=/\ncd /\n"}, match="SetEnv BASH_ENV=@HOME@/env"),
    Surrounding("umask-777", "bash", {".bashrc": "umask 777\n"}),
    Surrounding("umask-000", "dash", {}, match='ForceCommand umask 0; exec sh -c "$SSH_ORIGINAL_COMMAND"'),
    Surrounding("banner", "bash", {".bashrc": "printf 'Welcome to the machine'\n"}),
    Surrounding("missing-none", "bash", {".bashrc": "printf 'missing=none'\n"}),
    Surrounding("frames", "bash", {".bashrc": FRAMES}),
    Surrounding("greets-too", "bash", {".bashrc": "printf 'netbench-42\\nnetbench-42'\n"}),
    Surrounding("forced-sh", "bash", match='ForceCommand exec sh -c "$SSH_ORIGINAL_COMMAND"'),
    Surrounding("user-variables", "bash", {".bashrc": SH}, uid=ANOTHER),
)
BROKEN = (
    Surrounding("nologin", "/usr/sbin/nologin", says=EXITS),
    Surrounding("false", "/bin/false", says=EXITS),
    Surrounding("sftp-only", "bash", match="ForceCommand internal-sftp", says=f"{EXITS}|{WAITS}"),
    Surrounding("forced-prints", "bash", match="ForceCommand echo no shell for you", says=f"{EXITS}.*no shell for you"),
    Surrounding("tmux", "bash", {".bashrc": '[ -n "$TMUX" ] || exec tmux new-session -A\n'}, says=EXITS),
    Surrounding("rc-exits", "bash", {".bashrc": "exit 0\n"}, says=EXITS),
    Surrounding("rc-exits-7", "zsh", {".zshenv": "echo maintenance\nexit 7\n"}, says=f"{EXITS}.*maintenance"),
    Surrounding("rc-reads", "bash", {".bashrc": "read answer\n"}, says=WAITS),
    Surrounding("rc-sleeps", "bash", {".bashrc": "sleep 40\n"}, says=WAITS),
    Surrounding("bash-execs-tcsh", "bash", {".bashrc": "exec tcsh\n", ".tcshrc": CSH}, says=WAITS),
    Surrounding("alias-sh", "tcsh", {".tcshrc": "alias sh echo not here\n"}, says=f"{EXITS}.*not here"),
    Surrounding("empty-path", "bash", {".bashrc": "PATH=/nonexistent\n"}, says=EXITS),
    Surrounding("path-without-sleep", "bash", {".bashrc": "PATH=@HOME@/bin\n"}, says="sleep.*(not found|on its PATH)"),
    Surrounding("path-without-ls", "bash", {".bashrc": "PATH=@HOME@/bin\n"}, says="missing: .*ls"),
    Surrounding("recorder", "bash", match="ForceCommand cat >@HOME@/stdin", says=WAITS, records=True),
    Surrounding(
        "recorder-repeats",
        "bash",
        match='ForceCommand printf "%s" "$SSH_ORIGINAL_COMMAND"; exec cat >@HOME@/stdin',
        says=WAITS,
        records=True,
    ),
    Surrounding(
        "recorder-greets-almost",
        "bash",
        match='ForceCommand printf "netbench-$((6*7))"; exec cat >@HOME@/stdin',
        says=WAITS,
        records=True,
    ),
)
LIMIT = r"more than \d+ bytes"
FLOODING = (
    Surrounding("rc-floods", "bash", {".bashrc": "yes missing=none\n"}, says=LIMIT),
    Surrounding("forced-flood", "bash", match="ForceCommand exec cat /dev/zero", says=LIMIT),
    Surrounding("forced-errors", "bash", match="ForceCommand exec cat /dev/zero >&2", says=LIMIT),
    Surrounding("greets-and-floods", "bash", match="ForceCommand echo netbench-42; exec cat /dev/zero", says=LIMIT),
)
ALL = (*SHELLS, *ANOTHERS, *TIDY, *BROKEN, *FLOODING)
