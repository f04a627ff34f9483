"""Commands on hosts over SSH, by Fabric. The only file that imports fabric or paramiko.

Fabric opens the connection; a command travels on a plain channel of it (see ``ssh_channel.py`` and ``wire.py``).

Fabric adds unknown host keys silently and never reads known_hosts, does not quote ``env``, and resolves a ProxyJump of
several hops in the wrong order with gateways of the same loose policy; so policy, quoting and jumps are done here.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from typing import Any, Literal

from fabric import Config, Connection
from paramiko.ssh_exception import (
    AuthenticationException,
    BadHostKeyException,
    NoValidConnectionsError,
    PasswordRequiredException,
    SSHException,
)

from netbench.errors import (
    AuthError,
    ConnectionCutError,
    DeadlineError,
    HostKeyError,
    NetbenchError,
    TransportError,
    UnreachableError,
)
from netbench.model import Access, Command, Completed, SshAccess
from netbench.transports import wire
from netbench.transports.base import ConnectOptions, Connector, OnOutput
from netbench.transports.credentials import PASSPHRASE, PASSWORD
from netbench.transports.hostkeys import HostKeyPolicy, known_hosts_files
from netbench.transports.ssh_channel import PATIENCE, Exchange, SessionClosedError

KEEPALIVE = 15  # seconds; below the idle limits of usual firewalls


class SshTransport:
    """One Fabric connection, opened at the first command and again after a cut; serves many threads at once."""

    def __init__(
        self, access: SshAccess, options: ConnectOptions, gateway: SshTransport | Literal[False] | None
    ) -> None:
        """``gateway``: the jump host; None leaves ProxyCommand to ssh_config; False goes straight there."""
        self._access = access
        self._options = options
        self._gateway = gateway
        self._lock = threading.Lock()
        self._connection: Any = None  # a fabric.Connection while there is one
        self._proved: Any = None  # the connection on which the login shell ran our line

    def run(self, command: Command, on_output: OnOutput | None = None) -> Completed:
        connection = self.open()
        started = time.monotonic()
        token = wire.new_token()
        answer = wire.Answer(token, command.limit, on_output)
        program = wire.program(command, token)
        channel = None
        # until sshd has agreed to run the command, paramiko waits without end
        guard = threading.Timer(command.deadline + PATIENCE, connection.client.close)
        guard.daemon = True
        guard.start()
        try:
            channel = connection.transport.open_session(timeout=command.deadline + PATIENCE)
            exchange = Exchange(channel, self._access.host)
            line = wire.line(command.deadline)
            exchange.run(line, program, answer, started + command.deadline, proved=self._proved is connection)
            self._proved = connection
        except DeadlineError as error:
            raise DeadlineError(f"{self._access.host}: no answer within {command.deadline:g} s") from error
        except (SessionClosedError, SSHException, EOFError, OSError) as error:
            cut = self._cut(connection, str(error) or "the channel closed before the command ended")
            if time.monotonic() - started < command.deadline + PATIENCE:
                raise cut from error
            raise DeadlineError(f"{self._access.host}: sshd gave no answer within {command.deadline:g} s") from error
        finally:
            guard.cancel()
            if channel is not None:
                channel.close()
        return answer.completed(exchange.stderr, time.monotonic() - started)

    def open(self) -> Connection:
        """The live connection; raises TransportError with what is wrong and what to do."""
        with self._lock:
            if self._connection is not None and self._connection.is_connected:
                return self._connection
            self._connection = None
            connection = self._prepare(self._gateway.open() if self._gateway else self._gateway)
            try:
                connection.open()
                connection.transport.set_keepalive(KEEPALIVE)
            except BaseException as error:
                refused = self._refused(connection, error)
                connection.client.close()
                raise refused from error
            self._connection = connection
            return connection

    @property
    def who(self) -> str:
        """user@host:port of the connection there is; "" before the first command."""
        connection = self._connection
        return f"{connection.user}@{connection.host}:{connection.port}" if connection is not None else ""

    def close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.client.close()

    def _prepare(self, gateway: Connection | Literal[False] | None) -> Connection:
        access, seconds = self._access, self._options.connect_timeout
        config = Config()
        keys: dict[str, object] = {"banner_timeout": seconds, "auth_timeout": seconds, "channel_timeout": seconds}
        if access.key_file:
            keys["key_filename"] = [access.key_file]
        given = self._options.credentials
        keys |= {name: value for name, value in vars(given).items() if value is not None}
        connection = Connection(
            access.host,
            user=access.user,
            port=access.port,
            config=config,
            gateway=gateway,
            forward_agent=False,  # whatever ssh_config says: a measured host has no business with the user's keys
            connect_timeout=None,
            connect_kwargs=keys,
        )
        if connection.connect_timeout is None:
            connection.connect_timeout = seconds
        settings = connection.ssh_config
        if str(settings.get("identitiesonly", "no")).lower() == "yes":
            keys.update(allow_agent=False, look_for_keys=False)
        files = known_hosts_files(access.known_hosts, settings)
        for path in files:
            if path.is_file():
                connection.client.load_system_host_keys(str(path))
        connection.client.set_missing_host_key_policy(HostKeyPolicy(files, self._options.accept_new_host_keys))
        return connection

    def _cut(self, connection: Connection, reason: str) -> ConnectionCutError:
        with self._lock:
            if self._connection is connection and not connection.is_connected:
                self._connection = None
        return ConnectionCutError(f"{self._access.host}: the SSH connection was cut ({reason or 'closed'})")

    def _refused(self, connection: Connection, error: BaseException) -> BaseException:
        where = f"{connection.user}@{connection.host}:{connection.port}"
        # what fails after the key exchange fails of a key: it cannot be read, or there is none
        met = getattr(connection.client.get_transport(), "initial_kex_done", False)
        if isinstance(error, NetbenchError):
            return error
        if isinstance(error, BadHostKeyException):
            return HostKeyError(
                f"{where}: THE HOST KEY HAS CHANGED: known_hosts has another key than the host shows",
                "somebody may be in between; if the host was reinstalled, remove its line with ssh-keygen -R and "
                "check the new fingerprint",
            )
        if isinstance(error, PasswordRequiredException):
            return AuthError(
                f"{where}: the host accepts none of the keys offered, and a key file is encrypted",
                f"load the key into ssh-agent with ssh-add, or put its passphrase into a file and name it in "
                f"{PASSPHRASE}_FILE",
            )
        if isinstance(error, AuthenticationException) or (isinstance(error, SSHException | ValueError) and met):
            return AuthError(
                f"{where}: the host accepts none of the keys offered ({error})",
                "check ansible_user, ansible_ssh_private_key_file, ssh-agent, and authorized_keys on the host; "
                f"where it takes passwords, {PASSWORD}_FILE",
            )
        if isinstance(error, NoValidConnectionsError | socket.gaierror | TimeoutError | OSError):
            return UnreachableError(
                f"{where}: cannot connect ({_reason(error)})",
                "check ansible_host and ansible_port, that sshd runs there, and the way to it",
            )
        if isinstance(error, SSHException | EOFError | ValueError):
            return UnreachableError(
                f"{where}: no SSH session ({error or 'connection closed'})", "see that it is sshd that answers there"
            )
        return error


def _reason(error: BaseException) -> str:
    if isinstance(error, NoValidConnectionsError):  # its own text is "[Errno None] Unable to connect ..."
        error = next(iter(error.errors.values()))
    return getattr(error, "strerror", None) or str(error) or "timed out"


def connect(access: Access, connector: Connector) -> SshTransport:
    """Entry point ``ssh``. Jump hosts come from the inventory or else from ssh_config, and are shared by all behind."""
    assert isinstance(access, SshAccess)  # noqa: S101 - the pool goes by access.transport
    jump = access.proxy_jump or _configured_jump(access.host)
    gateway: SshTransport | Literal[False] | None = None
    if jump and jump.lower() == "none":
        gateway = False
    elif jump:
        *before, last = jump.split(",")
        inner = replace(_hop(last, access), proxy_jump=",".join(before) or None)
        # a wildcard in ssh_config, or a variable of a whole group, also matches the jump host itself
        if (inner.host, inner.port) == (access.host, access.port):
            return SshTransport(access, connector.options, False)
        found = connector.get(inner)
        assert isinstance(found, SshTransport)  # noqa: S101
        gateway = found
    return SshTransport(access, connector.options, gateway)


def _hop(text: str, behind: SshAccess) -> SshAccess:
    """One hop of ``user@host:port`` (an IPv6 host in brackets), with the inventory's key and known_hosts."""
    user, _, place = text.strip().rpartition("@")
    host, port = place, None
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        port = int(rest[1:]) if rest[1:].isdecimal() else None
    elif place.count(":") == 1:
        host, _, digits = place.partition(":")
        port = int(digits) if digits.isdecimal() else None
    if not host:
        raise TransportError(f"{behind.host}: {text!r} is not a jump host", "write it as user@host:port")
    # only a jump in the inventory speaks for the inventory's key; ssh_config has its own lines for its jump hosts
    key_file = behind.key_file if behind.proxy_jump else None
    return SshAccess(host, port=port, user=user or None, key_file=key_file, known_hosts=behind.known_hosts)


def _configured_jump(host: str) -> str | None:
    value = Config().base_ssh_config.lookup(host).get("proxyjump")
    return str(value) if value else None
