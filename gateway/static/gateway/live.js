// Keeps the table of backends fresh. Without it the page shows what was true when it
// was loaded. Text goes in as text: names in it are strangers'.
(function () {
  "use strict";
  const section = document.getElementById("live");
  if (!section || !window.fetch) return;
  const body = section.querySelector("tbody");
  const note = document.getElementById("live-note");
  const columns = ["name", "tier", "status", "in_flight", "latency", "calls", "change"];
  const EVERY = 2000;
  const steps = document.querySelector("[data-step]") ? "?steps=1" : "";

  function cell(column, value) {
    const made = document.createElement("td");
    made.textContent = value;
    if (column === "change") made.className = "wide";
    if (column === "status") mark(made, value);
    return made;
  }

  function mark(made, value) {
    made.className = "status";
    made.dataset.status = value;
  }

  function show(state) {
    if (body.rows.length !== state.backends.length) {
      body.replaceChildren(...state.backends.map(() => {
        const row = document.createElement("tr");
        row.replaceChildren(...columns.map((column) => cell(column, "")));
        return row;
      }));
    }
    state.backends.forEach((backend, place) => {
      columns.forEach((column, index) => {
        const shown = body.rows[place].cells[index];
        if (shown.textContent !== backend[column]) shown.textContent = backend[column];
        if (column === "status") mark(shown, backend.status);
      });
    });
    (state.steps || []).forEach((done, place) => {
      const step = document.querySelector('[data-step="' + place + '"]');
      if (!step || step.dataset.done === "yes" || !done) return;
      step.dataset.done = "yes";
      step.querySelector(".dash-step-state").textContent = "(done)";
    });
    note.textContent = "As of " + state.at + ", " + state.in_flight + " in flight.";
  }

  async function look() {
    if (!document.hidden) {
      try {
        const answer = await fetch(section.dataset.url + steps, { credentials: "same-origin" });
        if (answer.status === 403) {
          note.textContent += " You were signed out: load the page again.";
          return;
        }
        show(await answer.json());
      } catch (error) {
        note.textContent = "The gateway does not answer; trying again.";
      }
    }
    setTimeout(look, EVERY);
  }
  setTimeout(look, EVERY);
})();
