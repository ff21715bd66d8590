"use strict";
// Opened as a file, a page may not fetch others, so there are no summaries of what a search finds.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What scrolls is reached by keyboard too; what does not scroll is no stop on the way.
function reachable() {
  for (const part of document.querySelectorAll("pre, .table-wrapper, .picture")) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const caption of document.querySelectorAll(".caption[role=heading]")) caption.ariaLevel = "2";
  reachable();
  window.addEventListener("resize", reachable);
});
