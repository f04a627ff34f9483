"""Kubernetes ``Status`` objects: how the API and an exec's error channel say how something went."""

from __future__ import annotations

from typing import Any

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    404: "NotFound",
    405: "MethodNotAllowed",
    500: "InternalError",
}


class ApiError(Exception):
    """A request that is answered with a failure: an HTTP status code and a message."""

    def __init__(self, code: int, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or {}

    def status(self) -> dict[str, Any]:
        return failure(str(self), REASONS[self.code], code=self.code, details=self.details)


def not_found(resource: str, name: str) -> ApiError:
    return ApiError(404, f'{resource} "{name}" not found', {"name": name, "kind": resource})


def failure(message: str, reason: str, **more: Any) -> dict[str, Any]:
    return _status("Failure", message=message, reason=reason, **more)


def exit_status(code: int) -> dict[str, Any]:
    """How a command ended, as version 4 of the remote command protocol puts it."""
    if code == 0:
        return _status("Success")
    return failure(
        f"command terminated with non-zero exit code: exit status {code}",
        "NonZeroExitCode",
        details={"causes": [{"reason": "ExitCode", "message": str(code)}]},
    )


def _status(status: str, **more: Any) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": status, **more}
