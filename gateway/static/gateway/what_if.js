// Previews the form below it. Without it, Preview opens a page of its own.
(function () {
  "use strict";
  const button = document.getElementById("what-if-button");
  if (!button || !window.fetch || !window.ReadableStream) return;
  button.type = "button"; // so that Enter in a field goes on to save the form
  const progress = document.getElementById("what-if-progress");
  const status = document.getElementById("what-if-status");
  const result = document.getElementById("what-if-result");

  function take(told) {
    if (told.html !== undefined) {
      result.innerHTML = told.html; // our own template's, escaped by it
      return;
    }
    progress.max = told.total || 1;
    progress.value = told.done;
  }

  async function preview() {
    const data = new FormData(button.form);
    const answer = await fetch(button.formAction, {
      method: "POST",
      body: data,
      credentials: "same-origin",
      headers: { accept: "application/x-ndjson" },
    });
    if (!answer.ok) throw new Error("The gateway answered " + answer.status + ".");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      lines.forEach((line) => take(JSON.parse(line)));
    }
  }

  button.addEventListener("click", async (event) => {
    event.preventDefault();
    button.disabled = true;
    result.replaceChildren();
    progress.removeAttribute("value");
    progress.hidden = false;
    status.textContent = "Deciding again...";
    try {
      await preview();
      status.textContent = "Done.";
    } catch (error) {
      status.textContent = String(error.message || error);
    }
    progress.hidden = true;
    button.disabled = false;
  });
})();
