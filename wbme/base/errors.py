"""Errors that a user can act on: one sentence that says what was wrong, where, and what to do."""


class WbmeError(Exception):
    """Base of every error that wbme raises on purpose; ``str(error)`` is one clear sentence."""


class ParameterError(WbmeError):
    """A parameter is unknown, of the wrong type, or out of its range."""


class NotebookError(WbmeError):
    """A notebook breaks the contract, or one of its cells failed."""


class ExperimentError(WbmeError):
    """An experiment file is missing, malformed, or asks for what cannot be."""


class RefError(WbmeError):
    """A name in the store is malformed or names nothing."""


class StoreError(WbmeError):
    """The store could not keep or return bytes faithfully (disk full, damaged file)."""


class AssetError(WbmeError):
    """A file of a registry package could not be obtained or is not the promised one."""


class MediaError(WbmeError):
    """A picture or a video cannot be read or written, or exceeds a limit."""


class ModelError(WbmeError):
    """A network file cannot be loaded, or is fed with the wrong shape or type."""
