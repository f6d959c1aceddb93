"""What of a page lies outside its window, where nobody sees it."""

# A phone at 200 % zoom, a phone, a tablet, and where unfold's layouts change.
WIDTHS = (1440, 1280, 1040, 777, 390, 320)
# Besides a document that is wider than the window, what a frame cuts off that can't be
# scrolled. Unfold's own lists are scrolled by simplebar.
OUTSIDE = """
(width) => {
  const page = document.documentElement.scrollWidth;
  const found = page > width ? ["the document: " + page] : [];
  for (const element of document.querySelectorAll("main *, #page *")) {
    const box = element.getBoundingClientRect();
    const seen = box.width && box.height && box.left >= 0 && !element.children.length;
    if (!seen || box.right <= width + 1) continue;
    for (let frame = element.parentElement; frame; frame = frame.parentElement) {
      const style = getComputedStyle(frame);
      const scrolls = ["auto", "scroll"].includes(style.overflowX)
        || String(frame.className).startsWith("simplebar");
      const shortens = style.textOverflow === "ellipsis";
      if (scrolls || shortens || style.position === "fixed") break;
      const cuts = ["hidden", "clip"].includes(style.overflowX)
        && frame.getBoundingClientRect().right + 1 < box.right;
      if (!cuts && frame !== document.body) continue;
      found.push(element.tagName + " " + element.textContent.trim().slice(0, 40));
      break;
    }
  }
  return found;
}
"""


def outside(page) -> list[str]:
    """At any of the widths; leaves the page at the narrowest."""
    found: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        cut = page.evaluate(OUTSIDE, width)
        found += [f"{page.url} at {width}: {what}" for what in cut[:3]]
    return found
