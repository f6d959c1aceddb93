"""An LLM provider that misbehaves on request and writes down what it would charge.

    async with FaultLLM() as upstream:      # or: with ThreadedFaultLLM() as upstream:
        ... a client of f"{upstream.url}/v1" asks model "fault/stall-after-3" ...
        assert upstream.attempts[0].completion_billed == 4

`scripts.py` lists what it can do. `python -m tests.faultllm` runs it by itself.
"""

from tests.faultllm.certificates import Certificate, certificate
from tests.faultllm.journal import Attempt, digest, read_journal
from tests.faultllm.scripts import SCRIPTS
from tests.faultllm.server import FaultLLM
from tests.faultllm.sockets import Canary, blackhole, closed_port
from tests.faultllm.threaded import ThreadedFaultLLM

__all__ = [
    "SCRIPTS",
    "Attempt",
    "Canary",
    "Certificate",
    "FaultLLM",
    "ThreadedFaultLLM",
    "blackhole",
    "certificate",
    "closed_port",
    "digest",
    "read_journal",
]
