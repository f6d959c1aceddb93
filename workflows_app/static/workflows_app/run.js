// Keeps the page of a run fresh until the run has ended. Without it the page shows what
// was true when it was loaded. Only what differs is changed, in its place: a link
// somebody stands on, a scrolled picture and an opened list stay as they are.
document.addEventListener("DOMContentLoaded", () => {
  const PARTS = "#run-actions, #run-live, #workflowrun_form fieldset";
  const EVERY = 2000;
  const note = document.getElementById("run-note");
  const shown = document.getElementById("run-live");
  if (!shown || !window.fetch || !shown.dataset.goesOn) return;

  function tell(words) {
    if (note.textContent !== words) note.textContent = words; // it is read out
  }

  async function look() {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelectorAll(PARTS);
    document.querySelectorAll(PARTS).forEach((part, at) => become(part, fresh[at]));
    tell(page.getElementById("run-note").textContent);
  }

  async function again() {
    if (!document.hidden) {
      try {
        await look();
      } catch (error) {
        tell("The gateway does not answer; trying again.");
      }
    }
    if (shown.dataset.goesOn) setTimeout(again, EVERY);
  }
  setTimeout(again, EVERY);
});

function become(now, next) {
  if (now.isEqualNode(next)) return;
  if (now.nodeName !== next.nodeName || now.nodeType !== Node.ELEMENT_NODE) {
    now.replaceWith(document.importNode(next, true));
    return;
  }
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name)) now.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  }
  const [olds, news] = [[...now.childNodes], [...next.childNodes]];
  news.forEach((node, at) => {
    if (olds[at]) become(olds[at], node);
    else now.append(document.importNode(node, true));
  });
  olds.slice(news.length).forEach((node) => node.remove());
}
