// Puts a button beside what is there to be copied; without JavaScript it is marked by hand.
"use strict";

for (const text of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain-button";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(text.textContent);
            button.textContent = "Copied";
        } catch {
            // Not allowed here: marked, so that the keyboard's own copy takes it.
            getSelection().selectAllChildren(text);
            button.textContent = "Marked: press Ctrl+C";
        }
    });
    button.addEventListener("blur", () => (button.textContent = "Copy"));
    text.after(" ", button);
}
