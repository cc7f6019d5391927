/* The pages' one script. Everything works without it; it copies, and keeps what is shown up to date. */
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  const from = button && document.getElementById(button.dataset.copy);
  if (!from) return;
  const said = (words) => {
    const before = button.textContent;
    button.textContent = words;
    setTimeout(() => { button.textContent = before; }, 2000);
  };
  const select = () => {  // over plain HTTP a browser lets no page write to the clipboard
    getSelection().selectAllChildren(from);
    said("Selected");
  };
  if (!navigator.clipboard) return select();
  navigator.clipboard.writeText(from.textContent).then(() => said(button.dataset.done || "Copied"), select);
});
