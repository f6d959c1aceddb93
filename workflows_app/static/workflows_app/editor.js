// Checks the text of a workflow while it is edited: the problem with its line, or the
// picture. The server does the work; this only asks and shows.
document.addEventListener("DOMContentLoaded", () => {
  const text = document.getElementById("id_text");
  const shown = document.getElementById("workflow-check");
  if (!text || !shown) return;
  const problem = shown.querySelector("[data-problem]");
  const picture = shown.querySelector("[data-picture]");
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  let timer = 0;
  let asked = 0;

  async function check() {
    const number = ++asked;
    const answer = await fetch(shown.dataset.url, {
      method: "POST",
      headers: { "X-CSRFToken": token },
      body: new URLSearchParams({ text: text.value }),
    });
    if (!answer.ok || number !== asked) return;
    const found = await answer.json();
    problem.textContent = found.problem || "";
    if (found.picture) picture.innerHTML = found.picture;
    const line = /^line (\d+)/.exec(found.problem || "");
    if (line) problem.dataset.line = line[1];
  }

  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, 300);
  });
});
