"""The backend ``hpu_backend``, in eager mode only."""

from ...utils.internal import is_lazy as _is_lazy


def _register() -> None:
    """Make it known by its name; torch's compiler takes over a second to import."""
    if _is_lazy():
        return
    from torch._dynamo.backends.registry import list_backends, register_backend  # noqa: PLC0415

    from .backends import hpu_backend  # noqa: PLC0415

    if "hpu_backend" not in list_backends(exclude_tags=()):
        register_backend(hpu_backend, name="hpu_backend")
