"""Nothing: picamera2's preview on a screen imports it on every start, and here is no screen."""


class _AnyFormat(type):
    def __getattr__(cls, name: str) -> str:
        return name


class PixelFormat(metaclass=_AnyFormat):
    """Names of formats, whatever they are."""
