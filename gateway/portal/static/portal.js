// Everything works without this file: it only offers buttons that copy.
for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = button.dataset.done;
    } catch {
      // Without leave to use the clipboard: selected, so that Ctrl+C copies it.
      getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    }
    document.getElementById("said").textContent = button.textContent;
    setTimeout(() => { button.textContent = label; }, 4000);
  });
}
