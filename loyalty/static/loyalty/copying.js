// Puts a button beside what is there to be copied; without JavaScript it is marked by hand.
"use strict";

const { copy, copied, marked } = document.getElementById("words").dataset;

for (const text of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain-button";
    button.textContent = copy;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(text.textContent);
            button.textContent = copied;
        } catch {
            // Not allowed here: marked, so that the keyboard's own copy takes it.
            getSelection().selectAllChildren(text);
            button.textContent = marked;
        }
    });
    button.addEventListener("blur", () => (button.textContent = copy));
    text.after(" ", button);
}
