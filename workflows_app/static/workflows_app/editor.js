// Checks the text of a workflow while it is edited: the problem beside its line, or the
// picture and the table. The server does the work; this only asks and shows.
document.addEventListener("DOMContentLoaded", () => {
  const text = document.getElementById("id_text");
  const shown = document.getElementById("workflow-check");
  if (!text || !shown) return;
  const picture = shown.querySelector("[data-picture]");
  const table = shown.querySelector("[data-table]");
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const { lines, problem } = dress(text);
  let wrong = 0;
  let timer = 0;
  let asked = 0;

  function number() {
    const count = text.value.split("\n").length;
    while (lines.children.length > count) lines.lastChild.remove();
    while (lines.children.length < count) {
      const line = document.createElement("span");
      line.textContent = lines.children.length + 1;
      lines.append(line);
    }
    [...lines.children].forEach((line, at) => {
      line.classList.toggle("workflow-wrong", at + 1 === wrong);
    });
    lines.scrollTop = text.scrollTop;
  }

  function tell(found) {
    const line = /^line (\d+): /.exec(found.problem || "");
    wrong = line ? Number(line[1]) : 0;
    problem.textContent = line ? found.problem.slice(line[0].length) : found.problem || "";
    text.setAttribute("aria-invalid", String(Boolean(found.problem)));
    if (line) {
      const go = document.createElement("button");
      go.type = "button";
      go.textContent = `Line ${wrong}`;
      go.addEventListener("click", () => choose(text, wrong));
      problem.prepend(go);
    }
    number();
  }

  async function check() {
    const mine = ++asked;
    const answer = await fetch(shown.dataset.url, {
      method: "POST",
      headers: { "X-CSRFToken": token },
      body: new URLSearchParams({ text: text.value }),
    });
    if (!answer.ok || mine !== asked) return;
    const found = await answer.json();
    if (found.picture) picture.innerHTML = found.picture;
    if (found.table) table.innerHTML = found.table;
    tell(found);
  }

  text.addEventListener("scroll", () => (lines.scrollTop = text.scrollTop));
  text.addEventListener("input", () => {
    number();
    clearTimeout(timer);
    timer = setTimeout(check, 300);
  });
  number();
  if (text.value.trim()) check();
});

// Line numbers on the left of the text, and below it a place for what is wrong.
function dress(text) {
  const editor = document.createElement("div");
  editor.className = "workflow-editor";
  const lines = document.createElement("div");
  lines.className = "workflow-lines";
  lines.setAttribute("aria-hidden", "true");
  const problem = document.createElement("p");
  problem.className = "workflow-problem";
  problem.id = "workflow-problem";
  problem.setAttribute("role", "status");
  text.setAttribute("aria-describedby", problem.id);
  text.replaceWith(editor);
  editor.append(lines, text, problem);
  return { lines, problem };
}

function choose(text, line) {
  const before = text.value.split("\n").slice(0, line - 1);
  const start = before.reduce((sum, each) => sum + each.length + 1, 0);
  const end = text.value.indexOf("\n", start);
  text.focus();
  text.setSelectionRange(start, end < 0 ? text.value.length : end);
  text.scrollTop = (line - 1) * parseFloat(getComputedStyle(text).lineHeight) - 100;
}
