// A second click on a button that was just pressed sends nothing: the page of a new API
// key shows its secret once, and the answer to a second form would take its place.
(function () {
  "use strict";
  const TWICE = 5000; // milliseconds; whoever stopped a page may send it again then
  const sent = new WeakMap();

  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (event.timeStamp - sent.get(form) < TWICE) event.preventDefault();
    else sent.set(form, event.timeStamp);
  });
  // The page as it was, by the back button.
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) for (const form of document.forms) sent.delete(form);
  });
})();
