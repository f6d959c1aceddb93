// Shows answers as they come. Without it, Send shows them whole.
(function () {
  "use strict";
  const form = document.getElementById("playground");
  const answers = document.getElementById("answers");
  const results = document.getElementById("results");
  if (!form || !window.fetch || !window.ReadableStream) return;

  function add(parent, tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text || "";
    parent.append(made);
    return made;
  }

  function column(model) {
    const box = add(answers, "section", "playground-answer border border-base-200 flex flex-col gap-3 p-4 rounded-default dark:border-base-800");
    add(box, "h2", "font-semibold text-important", model);
    return { box, text: add(box, "pre", "dash-text") };
  }

  function finish(where, told) {
    const list = add(where.box, "dl", "playground-facts text-sm");
    told.facts.forEach(([name, value]) => {
      add(list, "dt", "", name);
      add(list, "dd", "", value);
    });
    const link = add(where.box, "a", "underline", "What was decided");
    link.href = form.dataset.log + "?q=" + encodeURIComponent(told.request_id);
    told.snippets.forEach(([name, text]) => {
      const box = add(where.box, "details", "");
      add(box, "summary", "cursor-pointer", name);
      add(box, "pre", "dash-scroll text-sm", text).tabIndex = 0;
    });
  }

  function take(line, where) {
    if (!line.startsWith("data: ") || line === "data: [DONE]") return;
    const event = JSON.parse(line.slice(6));
    if (event.error) add(where.box, "p", "text-red-700 dark:text-red-400", event.error.message);
    else if (event.llm_router) finish(where, event.llm_router);
    else {
      const delta = ((event.choices || [])[0] || {}).delta || {};
      where.text.append(delta.content || "");
      (delta.tool_calls || []).forEach((call) => {
        const asked = call.function || {};
        where.text.append((asked.name ? asked.name + " " : "") + (asked.arguments || ""));
      });
    }
  }

  async function reason(answer) {
    const told = await answer.json().catch(() => ({}));
    return told.error || "The gateway answered " + answer.status + ".";
  }

  async function send(which, model) {
    const where = column(model);
    const data = new FormData(form);
    data.set("which", String(which));
    try {
      const answer = await fetch(form.dataset.stream, { method: "POST", body: data, credentials: "same-origin" });
      if (!answer.ok) throw new Error(await reason(answer));
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        lines.forEach((line) => take(line, where));
      }
    } catch (error) {
      add(where.box, "p", "text-red-700 dark:text-red-400", String(error.message || error));
    }
  }

  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || button.name !== "send") return;
    event.preventDefault();
    answers.replaceChildren();
    results.replaceChildren();
    const { model, other_model: other, rules } = form.elements;
    const byRules = rules.value.trim() ? ", by the other rules" : "";
    send(0, model.value);
    if (other.value || byRules) send(1, (other.value || model.value) + byRules);
  });
})();
