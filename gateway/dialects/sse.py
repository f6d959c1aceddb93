"""Server-sent events: bytes in any pieces to events, and events to bytes."""

from typing import NamedTuple

from gateway.errors import BadUpstreamResponse

BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """`name` is empty when the stream gave none."""

    name: str
    data: bytes


class EventParser:
    """Reads a stream as WHATWG defines it, however its bytes are cut.

    An event counts once its blank line came: what the stream's end leaves open was cut
    off and is no event. Lines and events are bounded by `max_line` bytes, and with them
    the parser's memory.
    """

    def __init__(self, max_line: int = 1 << 20) -> None:
        self._max_line = max_line
        self._unfinished = bytearray()  # the line whose end has not come
        self._at_start = True
        self._after_cr = False
        self._name = ""
        self._data: list[bytes] = []
        self._data_size = 0

    def feed(self, piece: bytes) -> list[Event]:
        """The events that `piece` completes."""
        if self._after_cr and piece[:1] == b"\n":
            piece = piece[1:]  # the second half of a CRLF
            self._after_cr = False
        if not piece:
            return []
        self._after_cr = piece.endswith(b"\r")
        lines = piece.splitlines()
        tail = b"" if piece.endswith((b"\r", b"\n")) else lines.pop()
        if lines and self._unfinished:
            self._check_size(len(self._unfinished) + len(lines[0]))
            lines[0] = bytes(self._unfinished) + lines[0]
            self._unfinished.clear()
        events = self._read(lines)
        self._unfinished += tail
        self._check_size(len(self._unfinished))
        return events

    def _read(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        if lines and self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(BOM)
        for line in lines:
            if line.startswith(b"data: "):
                self._add_data(line[6:])
            elif line:
                self._read_field(line)
            else:
                if self._data:
                    events.append(Event(self._name, b"\n".join(self._data)))
                    self._data.clear()
                    self._data_size = 0
                self._name = ""
        return events

    def _read_field(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._add_data(value)
        elif field == b"event":
            self._check_size(len(value))
            self._name = value.decode("utf-8", "replace")

    def _add_data(self, value: bytes) -> None:
        self._data.append(value)
        self._data_size += len(value) + 1
        self._check_size(self._data_size)

    def _check_size(self, size: int) -> None:
        if size > self._max_line:
            raise BadUpstreamResponse("The provider's stream holds an endless event.")
