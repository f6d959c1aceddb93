"""JSON schemas of what clients send and get, for the OpenAPI document.

Requests are described as far as the gateway checks them; what else is in them is the
provider's business. docs/api.md and docs/dialects.md say what everything means.
"""

from gateway.api.described import (
    AN_OBJECT,
    ANY_NUMBER,
    FILLED,
    FLAG,
    TEXT,
    a_list,
    an_object,
    number,
    one_of,
    whole,
    words,
)
from routing.chat import Json

MODEL: Json = {"type": "string", "maxLength": 200, "example": "auto"}
SAMPLING: dict[str, Json] = {
    "temperature": number(0, 2),
    "top_p": number(0, 1),
}
PENALTIES: dict[str, Json] = {
    "presence_penalty": number(-2, 2),
    "frequency_penalty": number(-2, 2),
    "n": whole(1, 128),
    "stop": one_of(TEXT, a_list(TEXT, maxItems=4)),
}
STREAM: dict[str, Json] = {
    "stream": FLAG,
    "stream_options": an_object(include_usage=FLAG),
}
TOOLS: Json = a_list(AN_OBJECT, maxItems=512)
MESSAGE = an_object(
    ("role",),
    role=words("system", "developer", "user", "assistant", "tool"),
    content=one_of(
        TEXT,
        a_list(an_object(("type", "text"), type=words("text"), text=TEXT)),
    ),
)
USAGE = an_object(
    prompt_tokens=whole(0), completion_tokens=whole(0), total_tokens=whole(0)
)

CHAT = an_object(
    ("messages",),
    model=MODEL,
    messages=a_list(MESSAGE, minItems=1, maxItems=2048),
    max_tokens=whole(1),
    max_completion_tokens=whole(1),
    tools=TOOLS,
    **SAMPLING,
    **PENALTIES,
    **STREAM,
)
COMPLETION = an_object(
    ("choices",), id=TEXT, object=TEXT, choices=a_list(AN_OBJECT), usage=USAGE
)
MESSAGES = an_object(
    ("messages", "max_tokens"),
    model=MODEL,
    max_tokens=whole(0),
    messages=a_list(
        an_object(
            ("role", "content"),
            role=words("user", "assistant"),
            content=one_of(
                TEXT, a_list(an_object(("type", "text"), type=words("text"), text=TEXT))
            ),
        ),
        minItems=1,
        maxItems=2048,
    ),
    system=TEXT,
    tools=TOOLS,
    stream=FLAG,
)
ANSWER = an_object(
    ("content", "stop_reason"),
    id=TEXT,
    type=words("message"),
    content=a_list(AN_OBJECT),
    usage=AN_OBJECT,
)
COUNT = an_object(("input_tokens",), input_tokens=whole(0), estimated=FLAG)
RESPONSES = an_object(
    ("input",),
    model=MODEL,
    input=one_of(
        TEXT,
        a_list(
            an_object(
                ("role", "content"),
                role=words("user", "assistant", "system", "developer"),
                content=TEXT,
            ),
            minItems=1,
            maxItems=2048,
        ),
    ),
    instructions=TEXT,
    max_output_tokens=whole(1),
    tools=a_list(
        an_object(
            ("type", "name"),
            type=words("function"),
            name=FILLED,
            description=TEXT,
            parameters=AN_OBJECT,
        ),
        maxItems=512,
    ),
    metadata=AN_OBJECT,
    stream=FLAG,
    **SAMPLING,
)
RESPONSE = an_object(
    ("id", "object", "status", "output"),
    id=TEXT,
    object=words("response"),
    status=TEXT,
    output=a_list(AN_OBJECT),
)
LEGACY = an_object(
    ("prompt",),
    model=MODEL,
    prompt=one_of(FILLED, a_list(FILLED, minItems=1, maxItems=2048)),
    max_tokens=whole(1),
    **SAMPLING,
    **PENALTIES,
    **STREAM,
)
EMBEDDINGS = an_object(
    ("model", "input"),
    model=MODEL,
    input=one_of(
        FILLED,
        a_list(FILLED, minItems=1, maxItems=2048),
        a_list(whole(0, (1 << 31) - 1), minItems=1),
    ),
    dimensions=whole(1, 1 << 20),
    encoding_format=words("float", "base64"),
    user=TEXT,
)
VECTORS = an_object(("data",), data=a_list(AN_OBJECT), usage=AN_OBJECT)
MODELS = an_object(("data",), data=a_list(an_object(("id",), id=TEXT)))
ONE_MODEL = an_object(("id",), id=TEXT)
FEEDBACK = one_of(
    an_object(
        ("request_id", "quality"),
        request_id={"type": "string", "minLength": 1, "maxLength": 64},
        quality=number(0, 1),
    ),
    an_object(
        ("score", "tier", "quality"),
        score=number(0, 1),
        tier=whole(1, 9999),
        quality=number(0, 1),
    ),
)
STORY = an_object(("request_id", "status"), decisions=a_list(AN_OBJECT))
BACKENDS = a_list(an_object(("name", "status"), name=TEXT, status=TEXT))
STATS = an_object(("total_requests",), total_requests=whole(0))
STATUS = an_object(("status",), status=TEXT)
ERROR = one_of(
    an_object(
        ("error",),
        error=an_object(
            ("message", "type", "code"),
            message=TEXT,
            type=TEXT,
            param=one_of(TEXT, {"type": "null"}),
            code=TEXT,
        ),
    ),
    an_object(
        ("type", "error", "request_id"),
        type=words("error"),
        error=an_object(("type", "message"), type=TEXT, message=TEXT),
        request_id=TEXT,
    ),
)
AMOUNT = {**ANY_NUMBER, "minimum": 0, "maximum": 1_000_000}
