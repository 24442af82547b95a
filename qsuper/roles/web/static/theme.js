// Runs before anything is drawn: the chosen theme, not a flash of the other one.
"use strict";
(() => {
  const names = ["auto", "light", "dark"];
  const chosen = () => {
    try {
      const name = localStorage.getItem("theme");
      return names.includes(name) ? name : "auto";
    } catch {
      return "auto";
    }
  };
  const wear = (name) => {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
  };
  wear(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const tell = () => { button.textContent = `Theme: ${chosen()}`; };
    tell();
    button.hidden = false;
    button.addEventListener("click", () => {
      const next = names[(names.indexOf(chosen()) + 1) % names.length];
      try {
        localStorage.setItem("theme", next);
      } catch {
        // Without a store the choice lasts as long as the page.
      }
      wear(next);
      tell();
    });
  });
})();
