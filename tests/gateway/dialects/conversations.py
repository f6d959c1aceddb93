"""Conversations of any shape."""

import orjson
from hypothesis import strategies as st

from routing.chat import Json

words = st.text(min_size=1, max_size=20)


names = st.text("abcdefgh_", min_size=1, max_size=12)


inputs = st.dictionaries(words, words | st.integers(-9, 9) | st.booleans(), max_size=3)


urls = st.sampled_from(["https://x.test/a.png", "data:image/png;base64,iVBORw0KGgo="])


def text(words: str) -> Json:
    return {"type": "text", "text": words}


@st.composite
def conversations(draw: st.DrawFn) -> list[Json]:
    """OpenAI's messages: turns of the user, answers, loops of tools with results."""
    messages: list[Json] = []
    for turn in range(draw(st.integers(1, 4))):
        said = draw(words)
        parts = [text(said), {"type": "image_url", "image_url": {"url": draw(urls)}}]
        content = draw(st.sampled_from([said, parts]))
        messages.append({"role": "user", "content": content})
        calls = [
            {
                "id": f"call_{turn}_{number}",
                "type": "function",
                "function": {
                    "name": draw(names),
                    "arguments": orjson.dumps(draw(inputs)).decode(),
                },
            }
            for number in range(draw(st.integers(0, 2)))
        ]
        answer = {"role": "assistant", "content": draw(words)}
        if calls:
            answer["tool_calls"] = calls
            if draw(st.booleans()):
                answer["content"] = None
        messages.append(answer)
        for call in calls:
            result = {
                "role": "tool",
                "tool_call_id": call["id"],
                "content": draw(words),
            }
            messages.append(result)
    messages.append({"role": "user", "content": draw(words)})
    return messages
