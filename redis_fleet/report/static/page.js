// The buttons that open and close all steps. Without scripts each part still opens by itself.
(() => {
  "use strict";
  document.documentElement.classList.add("js");
  for (const button of document.querySelectorAll("button[data-open]")) {
    button.addEventListener("click", () => {
      for (const part of document.querySelectorAll("details.part")) part.open = button.dataset.open === "all";
    });
  }
})();
