// Keeps the list of what needs attention fresh. Without it the page shows what was true
// when it was loaded. The server writes the list, and escapes what strangers wrote in it.
(function () {
  "use strict";
  const section = document.getElementById("notices");
  if (!section || !window.fetch) return;
  const EVERY = 30000; // it reads rows, which the table of backends doesn't
  let shown = null;

  function show(list) {
    if (list === shown) return; // so that a link keeps its focus
    shown = list;
    const open = section.querySelector("details[open]");
    section.innerHTML = list;
    section.hidden = !list.trim();
    const others = section.querySelector("details");
    if (open && others) others.open = true;
  }

  async function look() {
    if (!document.hidden) {
      try {
        const answer = await fetch(section.dataset.url, { credentials: "same-origin" });
        if (answer.status === 403) return;
        if (answer.ok) show(await answer.text());
      } catch (error) {
        // The table of backends says that the gateway does not answer.
      }
    }
    setTimeout(look, EVERY);
  }
  setTimeout(look, EVERY);
})();
