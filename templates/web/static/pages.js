/* The pages' one script. Everything works without it; it copies, and keeps what is shown up to date. */
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const from = document.getElementById(button.dataset.copy);
  if (!from || !navigator.clipboard) return;
  navigator.clipboard.writeText(from.textContent).then(() => {
    const before = button.textContent;
    button.textContent = button.dataset.done || "Copied";
    setTimeout(() => { button.textContent = before; }, 2000);
  });
});
