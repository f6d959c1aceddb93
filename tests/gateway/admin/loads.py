"""What a page would make a browser load, or run, that is not a file of ours."""

import re
from html.parser import HTMLParser

# Of whatever element; a link's href loads something, that of an `a` does not.
LOADING = {"src", "srcset", "poster", "data", "background", "xlink:href"}
LOADING_HREF = {"link", "use", "image", "base"}
OWN = re.compile(r"(/(?!/)|data:(image/|,)|#|\?|$)")
# What a style sheet or a script loads by itself.
BY_FILE = re.compile(
    r"""@import|url\(\s*["']?(?!data:|["']?/?[\w.#-])|(?:https?:|["'`(]\s*)//\w""",
)
COMMENTS = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.S | re.M)
NAMES_ONLY = ("http://www.w3.org/",)  # of XML's vocabularies


class Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            loads = name in LOADING or (name == "href" and tag in LOADING_HREF)
            if loads and not OWN.match(value.strip()):
                self.found.append(f"{tag} {name}={value[:80]}")
            if name.startswith("on"):
                self.found.append(f"{tag} {name}")
            if name == "style" and "url(" in value:
                self.found.append(f"{tag} style={value[:80]}")
        data = given.get("type", "") in ("application/json", "text/html")
        if tag == "script" and "src" not in given and not data:
            self.found.append("script of the page itself")
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.found.append("meta refresh")


def from_elsewhere(html: str) -> list[str]:
    loads = Loads()
    loads.feed(html)
    return loads.found


def named_in(text: str) -> list[str]:
    """In a style sheet or a script."""
    for each in NAMES_ONLY:
        text = text.replace(each, "")
    return BY_FILE.findall(COMMENTS.sub("", text))
