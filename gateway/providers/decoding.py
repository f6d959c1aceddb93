"""Compressed bodies (RFC 9110, 8.4.1), unpacked a bounded piece at a time."""

import zlib

from gateway.providers.connection import ProtocolError

PIECE_BYTES = 256 << 10
GZIP, RAW = 16 + zlib.MAX_WBITS, -zlib.MAX_WBITS


class BadEncoding(ProtocolError):
    """The body is not what its content-encoding says, or that is unknown."""


class Decoder:
    """`feed` what came, then `read` until it gives nothing."""

    def __init__(self, window_bits: int) -> None:
        self._decompress = zlib.decompressobj(window_bits)
        self._packed = b""
        self._may_be_raw = window_bits == zlib.MAX_WBITS

    def feed(self, packed: bytes) -> None:
        self._packed += packed

    def read(self) -> bytes:
        """At most PIECE_BYTES, so that no bomb goes off before it is counted."""
        if not self._packed:
            return b""
        try:
            piece = self._decompress.decompress(self._packed, PIECE_BYTES)
        except zlib.error as error:
            if not self._may_be_raw:
                raise BadEncoding(str(error)) from error
            # "deflate" is zlib's format, which some servers send without its header.
            self._decompress = zlib.decompressobj(RAW)
            self._may_be_raw = False
            return self.read()
        self._may_be_raw = False
        self._packed = self._decompress.unconsumed_tail
        return piece

    def end(self) -> None:
        """Raise unless everything was there."""
        if not self._decompress.eof:
            raise BadEncoding("The compressed body ends too early.")


def decoder_of(encoding: str) -> Decoder | None:
    """None when there is nothing to unpack."""
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return Decoder(GZIP)
        case "deflate":
            return Decoder(zlib.MAX_WBITS)
        case other:
            raise BadEncoding(f"The content-encoding {other[:40]!r} was not asked for.")
